"""Copies whole studies from another study database, with their numbers, provenance and identity."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Engine, Table, func, insert, select

from hnet_core.errors import ConfigInvalid
from studies.database.schema import evaluation, launch, run, study, study_note, study_tag, task_time, trial, trial_note
from studies.database.stored_metrics import add_summaries, windows
from studies.errors import StudyNotFound
from studies.store.store import StudyExists

ROWS_AT_A_TIME = 10_000


def import_studies(
    source: Engine,
    target: Engine,
    names: Sequence[str] = (),
    rename: str | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> list[str]:
    """Copy whole studies from another database, up to date and opened already; their names here.

    Trial numbers, seeds, provenance and the identity (uuid) of a study stay. Optuna's tables are not copied: a sweep
    cannot be continued here.

    Args:
        names: studies to copy; none given means all.
        rename: name here of the one study that is copied.
        progress: called with what is copied, how many evaluations of it are, and of how many.

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
        return [_copy_study(reading, writing, name, rename or name, progress) for name in chosen]


def _copy_study(
    reading: Connection,
    writing: Connection,
    name: str,
    name_here: str,
    progress: Callable[[str, int, int], None] | None,
) -> str:
    row = dict(reading.execute(select(study).where(study.c.name == name)).mappings().one())
    for column, value, what in ((study.c.name, name_here, "name"), (study.c.uuid, row["uuid"], "identity")):
        taken = writing.scalar(select(study.c.name).where(column == value))
        if taken is not None:
            raise StudyExists(
                f"a study with the {what} of {name!r} is in this database already as {taken!r}; use --as, or remove it."
            )
    here = {**row, "name": name_here, "lease_owner": None, "lease_host": None, "lease_pid": None, "lease_until": None}
    del here["progress"]
    there_id, here_id = here.pop("id"), _insert(writing, study, here)
    launches = {}
    for one in reading.execute(select(launch).where(launch.c.study_id == there_id).order_by(launch.c.id)).mappings():
        launches[one["id"]] = _insert(writing, launch, {**_without_id(one), "study_id": here_id})
    _copy(
        reading, writing, trial, trial.c.study_id == there_id, {"study_id": {there_id: here_id}, "launch_id": launches}
    )
    for table in (study_tag, study_note, trial_note):
        _copy(reading, writing, table, table.c.study_id == there_id, {"study_id": {there_id: here_id}})
    runs = _copy_runs(reading, writing, there_id, here_id)
    of_runs = select(run.c.id).where(run.c.study_id == there_id)
    _copy(reading, writing, task_time, task_time.c.run_id.in_(of_runs), {"run_id": runs})
    of_study = evaluation.c.run_id.in_(of_runs)
    total = reading.scalar(select(func.count()).select_from(evaluation).where(of_study)) or 0

    def advance(copied: int) -> None:
        if progress is not None:
            progress(f"copying {name}", copied, total)

    _copy(reading, writing, evaluation, of_study, {"run_id": runs}, advance)
    for trials in windows(writing, here_id):
        add_summaries(writing, trials)
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
    reading: Connection,
    writing: Connection,
    table: Table,
    of_study: Any,
    changes: Mapping[str, Mapping[Any, Any]],
    advance: Callable[[int], None] | None = None,
) -> None:
    """Copy rows of a table, the columns of `changes` with their value here in place of the one there."""
    query = select(table).where(of_study).order_by(*table.primary_key)
    copied = 0
    for rows in reading.execution_options(yield_per=ROWS_AT_A_TIME).execute(query).mappings().partitions():
        copies = [dict(row) for row in rows]
        for copy in copies:
            copy.update({column: here[copy[column]] for column, here in changes.items()})
        writing.execute(insert(table), copies)
        copied += len(copies)
        if advance is not None:
            advance(copied)


def _insert(writing: Connection, table: Table, row: Mapping[str, Any]) -> int:
    return int(writing.execute(insert(table).returning(table.c.id), dict(row)).scalar_one())


def _without_id(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key != "id"}
