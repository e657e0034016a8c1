"""Trials measured elsewhere, before they are written: their contents, the names of their settings, their identity."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from hnet_core.dotted_keys import put
from hnet_core.errors import ConfigInvalid
from hnet_core.trial import Measure
from studies.database.schema import evaluation, run, trial
from studies.metrics.definitions import METRICS
from studies.store.suggested_trial import SuggestedTrial

Cells = Mapping[tuple[str, int, int], float]

PARTS = ("stream", "method", "target", "hypernet")
# Names of what is measured or kept of a trial: a setting of that name would stand in its place in every table.
TAKEN = (
    ({*trial.c.keys(), *run.c.keys(), *evaluation.c.keys()} - {"id", "run_id", "study_id"})
    | {f"{name}{end}" for name in METRICS for end in ("", ".low", ".high", ".n")}
    | {"n", "study", "studies"}
)
MAX_INTEGER = 2**63 - 1
_NO_CHARACTERS = re.compile("[\0\ud800-\udfff]")


@dataclass(frozen=True)
class Machine:
    """Where a seed was trained, and on what data; "imported" where nothing is known."""

    device: str = "imported"
    threads: int = 1
    data_checksum: str = "imported"


@dataclass(frozen=True)
class ImportedRun:
    """The evaluations of one seed: (split, after_task, on_task) -> value, tasks from 1, after task 0 is untrained.

    A cost that is not known is 0, and the seconds of each task are then empty.
    """

    seed: int
    cells: Cells
    seconds: float = 0.0
    peak_memory_mib: float = 0.0
    machine: Machine = Machine()
    task_seconds: tuple[float, ...] = ()


@dataclass(frozen=True)
class ImportedWeights:
    """Numbers of weights of one target network, of the model of all tasks, and of its hypernetwork if that is known."""

    target: int
    model: int
    hypernet: int | None = None


@dataclass(frozen=True)
class ImportedTrial:
    """One configuration measured elsewhere.

    Attributes:
        number: its number there, which it keeps.
        params: settings by dotted name, as `setting_value` gives them.
        weights: None where they are not known.
        n_tasks: tasks of the stream; 0 where nothing was measured.
        reason: why it did not become COMPLETE.
        known: the trial as hnet described it where it was trained, with its own configuration hash; None: it is
            described by `params`.
    """

    number: int
    params: Mapping[str, Any]
    weights: ImportedWeights | None
    runs: Sequence[ImportedRun]
    measure: Measure = "accuracy"
    n_tasks: int = 0
    state: Literal["COMPLETE", "PRUNED", "FAILED"] = "COMPLETE"
    reason: str | None = None
    known: SuggestedTrial | None = None

    def suggested(self, study_uuid: str) -> SuggestedTrial:
        """Return the columns of its row that follow from its configuration."""
        if self.known is not None:
            return self.known
        return SuggestedTrial(self.config(), self.config_hash(study_uuid), self.params, self.measure, None)

    def config(self) -> dict[str, Any]:
        """The nested configuration of the settings; what nobody said is named imported."""
        config: dict[str, Any] = {part: {"name": "imported"} for part in PARTS[:3]}
        for dotted, value in self.params.items():
            put(config, dotted, value)
        return config

    def config_hash(self, study_uuid: str) -> str:
        """Equal exactly where settings, weights, measure and number of tasks are, in any study.

        Where no setting is given, nothing says that two trials are the same, so each one is its own configuration.
        """
        weights = self.weights
        identity = {
            **self.config(),
            "measured": [self.measure, self.n_tasks],
            "weights": None if weights is None else [weights.target, weights.model, weights.hypernet],
            "trial": None if self.params else [study_uuid, self.number],
        }
        return hashlib.sha256(json.dumps(identity, sort_keys=True, allow_nan=False).encode()).hexdigest()[:16]


def setting_names(columns: Sequence[str]) -> list[str]:
    """The dotted names of settings that are called so elsewhere: `method` is method.name, as in every table here.

    Raises:
        ConfigInvalid: if a name is empty, given twice, one of our own columns, or both a value and a block of others.
    """
    names = [f"{name}.name" if name in PARTS else name for name in columns]
    blocks: dict[str, str] = {}
    for name in names:
        blocks |= {name[:place]: name for place, letter in enumerate(name) if letter == "."}
    for part in PARTS:
        if inside := blocks.get(f"{part}.name"):
            raise ConfigInvalid(f"{inside!r} cannot be a setting: {part}.name is a name, not a block; rename it.")
    for name, times in Counter(names).items():
        if not all(name.split(".")) or "\0" in name:
            raise ConfigInvalid(f"a setting must have a dotted name such as method.lr, got {name!r}; rename it.")
        if name in TAKEN:
            raise ConfigInvalid(
                f"{name!r} cannot be the name of a setting: it is one of hnet's own columns; rename it, such as "
                f"theirs.{name}."
            )
        if times > 1:
            raise ConfigInvalid(f"each column must be there once, got {name!r} {times} times.")
        if name in blocks:
            raise ConfigInvalid(f"{name!r} cannot be a setting beside {blocks[name]!r}, a part of it; rename one.")
    return names


def setting_value(value: Any) -> Any:
    """A setting as JSON and both databases can hold it: an infinite or very long number as its text.

    A character that is none to a database (a zero, half a surrogate pair) becomes its escape.
    """
    if isinstance(value, float) and not math.isfinite(value):
        return repr(value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > MAX_INTEGER:
        return str(value)
    if isinstance(value, str) and _NO_CHARACTERS.search(value):
        return value.encode("unicode_escape").decode()
    return value


def value_of_text(text: str) -> Any:
    """A setting as a number where the number would be written exactly so, else the text itself: 007 is no 7."""
    for kind in (int, float):
        try:
            number = kind(text)
        except ValueError:
            continue
        if repr(number) == text:
            return setting_value(number)
    return text
