"""Import of a study from the JSON file that `studies.queries.study_file` writes, with its configurations and hashes."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from pydantic import Field, ValidationError, model_validator
from sqlalchemy import Engine

from hnet_core import dotted_keys
from hnet_core.component_check import explain
from hnet_core.errors import ConfigInvalid
from hnet_core.options import Options
from hnet_core.trial import Measure, WeightCounts
from studies.store.imported_trials import ImportedRun, ImportedTrial, Machine
from studies.store.suggested_trial import SuggestedTrial
from studies.store.trial_import import import_trials

Grid = list[list[float | None]]


class CountsEntry(Options):
    """Weight and operation counts, see `hnet_core.trial.WeightCounts`."""

    target: int
    model: int
    hypernet: int
    per_task: int
    trained: int | None = None
    mask_bits: int = 0
    memory_bytes: int = 0
    inference: int | None = None
    generation: int | None = None


class RunEntry(Options):
    """One seed: seconds of each task, and a matrix (T + 1, T) for each split."""

    seed: int = Field(ge=0)
    peak_memory_mib: float = 0.0
    device: str
    threads: int = Field(ge=1)
    data_checksum: str
    seconds: list[float] = Field(min_length=1)
    matrices: dict[str, Grid]

    @model_validator(mode="after")
    def _is_square(self) -> RunEntry:
        grid = self.matrices.get("test")
        if not grid:
            raise ValueError("must have the matrix test")
        for name, each in self.matrices.items():
            if len(each) != len(grid) or any(len(row) != len(grid) - 1 for row in each):
                raise ValueError(f"matrix {name} must have {len(grid)} rows of {len(grid) - 1} numbers")
        return self

    @property
    def n_tasks(self) -> int:
        return len(self.matrices["test"]) - 1


class TrialEntry(Options):
    """One finished configuration."""

    number: int = Field(ge=0)
    params: dict[str, Any]
    config: dict[str, Any]
    config_hash: str = Field(pattern=r"^[0-9a-f]{16}$")
    measure: Measure
    counts: CountsEntry | None
    runs: list[RunEntry] = Field(min_length=1)

    @model_validator(mode="after")
    def _fits_together(self) -> TrialEntry:
        seeds = [one.seed for one in self.runs]
        if len(set(seeds)) < len(seeds):
            raise ValueError(f"each seed must be there once, got {seeds}")
        if len({one.n_tasks for one in self.runs}) > 1:
            raise ValueError("runs must have one number of tasks")
        return self


class StudyEntry(Options):
    """A study file."""

    hnet_study: Literal[1]
    name: str = Field(min_length=1)
    objectives: dict[str, Literal["maximize", "minimize"]]
    constraints: dict[str, str] = Field(default={})
    search: dict[str, Any] = Field(default={})
    paper: dict[str, Any] | None = None
    launches: list[dict[str, Any]] = Field(default=[])
    trials: list[TrialEntry]

    @property
    def n_evaluations(self) -> int:
        return sum(1 for one in self.trials for each in one.runs for _ in _cells(each))


def read_study_file(text: str, source: str) -> StudyEntry:
    """Check the text of a study file.

    Raises:
        ConfigInvalid: it is none; one line for everything that is wrong, with its key.
    """
    try:
        content = json.loads(text)
    except ValueError as error:
        raise ConfigInvalid(
            f"{source}: must be a study file as hnet study export --rows matrices writes it ({error})."
        ) from None
    if not isinstance(content, Mapping) or "hnet_study" not in content:
        raise ConfigInvalid(f"{source}: must be a study file as hnet study export --rows matrices writes it.")
    try:
        found = StudyEntry.model_validate(content)
    except ValidationError as error:
        raise ConfigInvalid("\n".join(f"{source}: {one}" for one in explain(error, StudyEntry))) from None
    numbers = [one.number for one in found.trials]
    if numbers != sorted(set(numbers)):
        raise ConfigInvalid(f"{source}: trials must have rising numbers, each once.")
    return found


def import_study_file(
    engine: Engine, name: str, found: StudyEntry, source: str, progress: Callable[[int], None] | None = None
) -> Counter[str]:
    """Make a study of a study file; its trials keep their numbers, configurations and hashes.

    Raises:
        StudyExists: the name is taken.
    """
    spec = {
        "constraints": found.constraints,
        "search": found.search,
        "paper": found.paper,
        "trial": _settings_of_all(found.trials, (found.paper or {}).get("settings") or {}),
        "seeds": min((len(one.runs) for one in found.trials), default=0),
    }
    return import_trials(
        engine,
        name,
        (_trial(one) for one in found.trials),
        source,
        found.objectives,
        progress,
        spec={key: value for key, value in spec.items() if value},
        provenance=_provenance(found),
    )


def _settings_of_all(trials: Sequence[TrialEntry], published: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that all trials share, as a spec has them, and the lowest of those that a paper is cited for.

    So that a study of which less was run than in its paper is known as reduced after an import too.
    """
    flat = [dict(dotted_keys.flatten(one.config)) for one in trials]
    found: dict[str, Any] = {}
    for key, value in (flat[0] if flat else {}).items():
        values = [other[key] for other in flat if key in other]
        if len(values) == len(flat) and all(each == value for each in values):
            dotted_keys.put(found, key, value)
        elif key in published:
            dotted_keys.put(found, key, min(values))
    return found


def _provenance(found: StudyEntry) -> dict[str, Any]:
    """Return what is known of the last launch; a file made by hand may have none."""
    if not found.launches:
        return {}
    launch = dict(found.launches[-1])
    started = launch.pop("started_at", None)
    known = ("git_commit", "git_dirty", "packages", "device", "threads", "data_checksum")
    moment = {"started_at": datetime.fromisoformat(started)} if isinstance(started, str) else {}
    return {key: launch.get(key) for key in known} | moment


def _trial(one: TrialEntry) -> ImportedTrial:
    counts = None if one.counts is None else WeightCounts(**one.counts.model_dump())
    return ImportedTrial(
        number=one.number,
        params=one.params,
        weights=None,
        runs=[_run(each) for each in one.runs],
        measure=one.measure,
        n_tasks=one.runs[0].n_tasks,
        known=SuggestedTrial(one.config, one.config_hash, one.params, one.measure, counts),
    )


def _run(one: RunEntry) -> ImportedRun:
    machine = Machine(one.device, one.threads, one.data_checksum)
    return ImportedRun(one.seed, dict(_cells(one)), sum(one.seconds), one.peak_memory_mib, machine, tuple(one.seconds))


def _cells(one: RunEntry) -> Iterator[tuple[tuple[str, int, int], float]]:
    for split, grid in one.matrices.items():
        for after_task, row in enumerate(grid):
            for on_task, value in enumerate(row, start=1):
                if value is not None:
                    yield (split, after_task, on_task), value
