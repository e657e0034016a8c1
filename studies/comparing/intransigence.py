"""How much worse a task is learnt after others than together with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hnet_core.errors import ConfigInvalid
from studies.statistics.interval import Interval
from studies.statistics.intervals import t_interval

if TYPE_CHECKING:
    from studies.comparing.configurations import Side
    from studies.queries.studies import Studies


def intransigence(studies: Studies, side: Side, joint: Side) -> Interval:
    """I_T = a*[T][T] - a[T][T] over the seeds both have, test split: positive where the last task is learnt worse.

    a* is the accuracy of a model trained on all T tasks together. Chaudhry et al., "Riemannian walk for incremental
    learning" (ECCV 2018), https://arxiv.org/abs/1801.10112, sec. 3.2, at k = T.

    Args:
        side: the trial in question.
        joint: a trial of method joint on the same tasks.

    Raises:
        ConfigInvalid: if the tasks differ, or no seed has been run by both.
    """
    for part in ("stream", "scenario"):
        if side.config.get(part) != joint.config.get(part):
            raise ConfigInvalid(
                f"--joint must have the same {part} as {side}, got {joint}; name a trial on these tasks."
            )
    learnt, together = (_last_task(studies, one) for one in (side, joint))
    shared = sorted(learnt.keys() & together.keys())
    if not shared:
        raise ConfigInvalid(f"--joint must share a seed with {side}, got seeds {sorted(together)}.")
    return t_interval([together[seed] - learnt[seed] for seed in shared])


def _last_task(studies: Studies, side: Side) -> dict[int, float]:
    """Accuracy on the last task after all of them, {seed: accuracy}."""
    matrices = studies.matrices(side.study, side.number)
    return dict(zip(studies.seeds(side.study, side.number), matrices[:, -1, -1].tolist(), strict=True))
