"""Intransigence: the accuracy lost on a task by learning it after others instead of together with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hnet_core.errors import ConfigInvalid
from studies.comparing.comparability import why_different_tasks
from studies.statistics.interval import Interval
from studies.statistics.intervals import t_interval

if TYPE_CHECKING:
    from studies.comparing.configurations import Configuration
    from studies.queries.studies import Studies


def intransigence(studies: Studies, configuration: Configuration, joint: Configuration) -> Interval:
    """Compute I_T = a*[T][T] - a[T][T] over shared seeds, test split; positive where the last task is learnt worse.

    a* is the accuracy of a model trained on all T tasks together. Chaudhry et al., "Riemannian walk for incremental
    learning" (ECCV 2018), https://arxiv.org/abs/1801.10112, sec. 3.2, at k = T.

    Args:
        configuration: the trial in question.
        joint: a trial of method joint on the same tasks.

    Raises:
        ConfigInvalid: if the tasks differ, or no seed has been run by both.
    """
    reason = why_different_tasks(configuration, joint)
    if reason is not None:
        raise ConfigInvalid(f"--joint must be trained on the tasks of {configuration}, got {joint}: {reason}.")
    learnt, together = (_last_task(studies, one) for one in (configuration, joint))
    shared = sorted(learnt.keys() & together.keys())
    if not shared:
        raise ConfigInvalid(f"--joint must share a seed with {configuration}, got seeds {sorted(together)}.")
    return t_interval([together[seed] - learnt[seed] for seed in shared])


def _last_task(studies: Studies, configuration: Configuration) -> dict[int, float]:
    """Return the accuracy on the last task after all of them, {seed: accuracy}."""
    matrices = studies.matrices(configuration.study, configuration.number)
    return dict(
        zip(studies.seeds(configuration.study, configuration.number), matrices[:, -1, -1].tolist(), strict=True)
    )
