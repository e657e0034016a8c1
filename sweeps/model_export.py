"""Export of the trained model of a stored trial, from its kept checkpoint or by training it again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hnet_core import trained_model
from hnet_core.build import method_shape, stream_shape
from hnet_core.config_validation import parse_trial
from hnet_core.errors import ConfigInvalid, NotFound
from hnet_core.training import TrialRun
from sweeps.checkpoints import open_checkpoints
from sweeps.driver.checkpoint_retention import trial_location
from sweeps.worker import latest_checkpoints

if TYPE_CHECKING:
    from hnet_core.stacked import Checkpoint
    from hnet_core.trial import TaskReport, TrialConfig
    from studies.queries.record import StudyRecord
    from studies.queries.studies import Studies


@dataclass(frozen=True)
class ExportedModel:
    """Origin of the weights of an exported model.

    Attributes:
        was_kept: read from the checkpoint that the sweep kept; else trained again.
        deviation: largest difference of its final measures from the stored ones, over tasks; 0 on the same machine.
    """

    was_kept: bool
    deviation: float


def export_model(
    studies: Studies,
    study: str,
    number: int,
    seed: int,
    output: Path,
    checkpoints: str,
    root: Path,
    on_task: Callable[[int, TaskReport], None],
) -> ExportedModel:
    """Write the model of one seed of a finished trial.

    Args:
        output: file to write, for `hnet_core.load`.
        checkpoints: path or URI of the study's checkpoints.
        root: of the data, for a model that must be trained again.
        on_task: called with the seed and the report of each task that is trained.

    Raises:
        NotFound: the trial has no such seed, or did not finish.
        ConfigInvalid: it was imported, without a configuration that can be trained.
    """
    row = studies.trial(study, number)
    seeds = [run["seed"] for run in row["runs"]]
    if seed not in seeds or row["state"] != "COMPLETE":
        finished = ", ".join(map(str, seeds)) or "none"
        raise NotFound(f"trial {number} ({row['state']}) has no finished seed {seed}; finished: {finished}.")
    config = _parsed(row["config"], studies.study(study))
    original = number if row["duplicate_of"] is None else row["duplicate_of"]
    kept = _kept(trial_location(checkpoints, original), config, seed)
    checkpoint = _train(config, seed, root, on_task) if kept is None else kept
    trained_model.save(output, config, method_shape(config, stream_shape(config, root)), checkpoint)
    stored = studies.matrices(study, number)[seeds.index(seed)][-1]
    last = checkpoint["progress"]["test"][-1]
    deviation = max(abs(now - then) for now, then in zip(last, stored, strict=True) if now is not None)
    return ExportedModel(kept is not None, float(deviation))


def _parsed(config: Mapping[str, Any], study: StudyRecord) -> TrialConfig:
    try:
        return parse_trial(config)
    except ConfigInvalid as error:
        if not study.is_imported:
            raise
        raise ConfigInvalid(
            f"study {study.name!r} was imported without configurations that can be trained here ({error}); its models "
            "are where it was measured."
        ) from None


def _kept(location: str, config: TrialConfig, seed: int) -> Checkpoint | None:
    """Read the last checkpoint of a finished seed; None if it was not kept."""
    found = latest_checkpoints(open_checkpoints(location)).get(seed)
    is_finished = found is not None and None not in found["progress"]["test"][-1]
    return found if found is not None and is_finished and found["config_hash"] == config.hash() else None


def _train(config: TrialConfig, seed: int, root: Path, on_task: Callable[[int, TaskReport], None]) -> Checkpoint:
    run = TrialRun(config, seed, root)
    while not run.finished:
        report = run.train_task()
        on_task(seed, report)
    return report.checkpoint
