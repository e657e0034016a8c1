"""Import into a study database: complete studies of another database, or trials measured by other programs.

Trials of other programs are marked as imported in their launch; a cost that was not measured is stored as unknown.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, Table, func, insert, select

from hnet_core import dotted_keys
from hnet_core.errors import ConfigInvalid
from hnet_core.trial import Measure, TrialResult, WeightCounts
from studies.database.schema import evaluation, launch, run, study, study_tag, task_time, trial
from studies.database.stored_metrics import TrialRange, add_summaries
from studies.errors import StudyNotFound
from studies.store.store import Store, StudyExists
from studies.store.suggested_trial import SuggestedTrial

ROWS_AT_A_TIME = 10_000


@dataclass(frozen=True)
class ImportedRun:
    """The evaluations of one seed: (split, after_task, on_task) -> value, tasks from 1, after task 0 is untrained."""

    seed: int
    cells: Mapping[tuple[str, int, int], float]
    seconds: float = 0.0
    peak_memory_mib: float = 0.0


@dataclass(frozen=True)
class ImportedTrial:
    """One configuration measured elsewhere; without runs it failed, for the reason given, and may lack counts."""

    params: Mapping[str, Any]
    counts: WeightCounts | None
    runs: Sequence[ImportedRun]
    measure: Measure = "accuracy"
    reason: str | None = None


def import_trials(
    store: Store, name: str, trials: Iterable[ImportedTrial], source: str, objectives: Mapping[str, str]
) -> int:
    """Make a study of trials measured elsewhere and return their number; if one fails to be written, none is kept.

    Raises:
        StudyExists: if the name is taken.
        TrainingDiverged: if a value is NaN or infinite.
    """
    found = list(trials)
    seeds = max((len(one.runs) for one in found), default=0)
    study_id = store.create_study(name, {"study": name, "imported_from": source, "objectives": dict(objectives)}, seeds)
    try:
        launch_id = store.record_launch(study_id, {"command_line": f"imported from {source}", "device": "imported"})
        for number, one in enumerate(found):
            _import_trial(store, study_id, launch_id, number, one)
    except BaseException:
        store.drop_study(study_id)
        raise
    return len(found)


def _import_trial(store: Store, study_id: int, launch_id: int, number: int, one: ImportedTrial) -> None:
    config = _config(one.params)
    digest = hashlib.sha256(json.dumps(config, sort_keys=True).encode()).hexdigest()[:16]
    suggested = SuggestedTrial(config, digest, one.params, one.measure, one.counts)
    store.start_trial(study_id, number, suggested, launch_id=launch_id, attempt=1)
    if one.runs:
        store.complete_trial(study_id, number, 1, [_result(one, each, digest) for each in one.runs])
    else:
        store.fail_trial(study_id, number, 1, one.reason or "no result was imported", None)


def import_studies(source: Engine, target: Engine, names: Sequence[str] = (), rename: str | None = None) -> list[str]:
    """Copy studies from another open, up-to-date database and return their names here.

    Trial numbers, seeds, provenance and the identity (uuid) of a study stay. Optuna's tables are not copied: a sweep
    cannot be continued here.

    Args:
        names: studies to copy; none given means all.
        rename: name here of the one study that is copied.

    Raises:
        StudyNotFound: if the source does not have one of them.
        StudyExists: if a name or a study is here already; then none is copied.
        ConfigInvalid: if several are to get one name.
    """
    with source.connect() as reading, target.execution_options(hnet_writes=True).begin() as writing:
        there = list(reading.scalars(select(study.c.name).order_by(study.c.id)))
        for name in names:
            if name not in there:
                raise StudyNotFound(f"study {name!r} is not in the source, which holds {', '.join(there) or 'none'}.")
        chosen = list(names or there)
        if rename is not None and len(chosen) != 1:
            raise ConfigInvalid(f"--as gives one study its name here, got {len(chosen)} studies; name one.")
        return [_copy_study(reading, writing, name, rename or name) for name in chosen]


def _copy_study(reading: Connection, writing: Connection, name: str, name_here: str) -> str:
    row = dict(reading.execute(select(study).where(study.c.name == name)).mappings().one())
    for column, value, what in ((study.c.name, name_here, "name"), (study.c.uuid, row["uuid"], "identity")):
        taken = writing.scalar(select(study.c.name).where(column == value))
        if taken is not None:
            raise StudyExists(
                f"a study with the {what} of {name!r} is in this database already as {taken!r}; use --as, or remove it."
            )
    here = {**row, "name": name_here, "lease_owner": None, "lease_host": None, "lease_pid": None, "lease_until": None}
    there_id, here_id = here.pop("id"), _insert(writing, study, here)
    launches = {}
    for one in reading.execute(select(launch).where(launch.c.study_id == there_id).order_by(launch.c.id)).mappings():
        launches[one["id"]] = _insert(writing, launch, {**_without_id(one), "study_id": here_id})
    _copy(
        reading, writing, trial, trial.c.study_id == there_id, {"study_id": {there_id: here_id}, "launch_id": launches}
    )
    _copy(reading, writing, study_tag, study_tag.c.study_id == there_id, {"study_id": {there_id: here_id}})
    runs = _copy_runs(reading, writing, there_id, here_id)
    for table in (evaluation, task_time):
        of_study = table.c.run_id.in_(select(run.c.id).where(run.c.study_id == there_id))
        _copy(reading, writing, table, of_study, {"run_id": runs})
    highest = writing.scalar(select(func.max(trial.c.number)).where(trial.c.study_id == here_id))
    if highest is not None:
        add_summaries(writing, TrialRange(here_id, 0, highest))
    return name_here


def _copy_runs(reading: Connection, writing: Connection, there_id: int, here_id: int) -> dict[int, int]:
    """Copy the runs of a study and return the new id of each old one."""
    ids: dict[int, int] = {}
    found = reading.execution_options(yield_per=ROWS_AT_A_TIME).execute(select(run).where(run.c.study_id == there_id))
    query = insert(run).returning(run.c.id, sort_by_parameter_order=True)
    for rows in found.mappings().partitions():
        here = writing.scalars(query, [{**_without_id(row), "study_id": here_id} for row in rows])
        ids |= zip((row["id"] for row in rows), here, strict=True)
    return ids


def _copy(
    reading: Connection, writing: Connection, table: Table, of_study: Any, changes: Mapping[str, Mapping[Any, Any]]
) -> None:
    """Copy rows of a table, the columns of `changes` with their value here in place of the one there."""
    query = select(table).where(of_study).order_by(*table.primary_key)
    for rows in reading.execution_options(yield_per=ROWS_AT_A_TIME).execute(query).mappings().partitions():
        copies = [dict(row) for row in rows]
        for copy in copies:
            copy.update({column: here[copy[column]] for column, here in changes.items()})
        writing.execute(insert(table), copies)


def _insert(writing: Connection, table: Table, row: Mapping[str, Any]) -> int:
    return int(writing.execute(insert(table).returning(table.c.id), dict(row)).scalar_one())


def _without_id(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key != "id"}


def _config(params: Mapping[str, Any]) -> dict[str, Any]:
    """Nest dotted values into a configuration; parts that are not given are named imported."""
    config: dict[str, Any] = {part: {"name": "imported"} for part in ("stream", "method", "target")}
    for dotted, value in params.items():
        try:
            dotted_keys.put(config, dotted, value)
        except dotted_keys.NotABlock as error:
            message = f"{dotted!r} cannot be a column beside {error.block!r}, which has a value itself."
            raise ConfigInvalid(message) from None
    return config


def _result(one: ImportedTrial, each: ImportedRun, digest: str) -> TrialResult:
    assert one.counts is not None, "what was measured has a size"
    n_tasks = max((max(after, on) for _, after, on in each.cells), default=0)

    def row(split: str, after: int) -> tuple[float | None, ...]:
        return tuple(each.cells.get((split, after, on)) for on in range(1, n_tasks + 1))

    splits = {split for split, _, _ in each.cells}
    return TrialResult(
        config_hash=digest,
        seed=each.seed,
        measure=one.measure,
        counts=one.counts,
        test=tuple(row("test", after) for after in range(1, n_tasks + 1)),
        validation=tuple(row("validation", after) for after in range(1, n_tasks + 1))
        if "validation" in splits
        else None,
        untrained=row("test", 0),  # type: ignore[arg-type]  # None where a value is unknown
        seconds=(each.seconds / n_tasks,) * n_tasks,
        peak_memory_mib=each.peak_memory_mib,
        device="imported",
        threads=1,
        data_checksum="imported",
    )
