"""Single studies and trials of a database, as they are stored."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any, cast

from sqlalchemy import Connection, Engine, Select, func, select

from hnet_core.registry import did_you_mean
from studies.database.database_clock import epoch_now
from studies.database.integer_sets import one_of
from studies.database.row_types import BenchmarkRow, LaunchRow, Lease, LedgerRow, TimedRun, TrialDetail, TrialState
from studies.database.schema import COMPLETE, STATES, benchmark, launch, run, study, task_time, trial
from studies.database.urls import masked
from studies.errors import StudyNotFound, TrialNotFound
from studies.queries.record import StudyRecord, TrialCounts


def find_study(engine: Engine, name: str) -> StudyRecord:
    """Return the study of that name; raises StudyNotFound."""
    with engine.connect() as connection:
        is_held = (study.c.lease_until > epoch_now()).label("is_held")
        row = connection.execute(select(study, is_held).where(study.c.name == name)).mappings().one_or_none()
        if row is None:
            raise _no_study(engine, name)
        launches = connection.execute(_of_study(launch, row["id"]).order_by(launch.c.id)).mappings().all()
    plain = ("id", "name", "uuid", "spec", "seeds", "created_at", "stop_requested", "driver_seconds")
    return StudyRecord(
        **{key: row[key] for key in plain},
        launches=[cast(LaunchRow, dict(one)) for one in launches],
        driver=_lease(row) if row["is_held"] else None,
        last_lease=_lease(row) if row["lease_owner"] is not None else None,
        progress=_progress(row) if row["is_held"] else {},
    )


def read_benchmarks(engine: Engine) -> list[BenchmarkRow]:
    """Return the published tables added to a database, by name."""
    with engine.connect() as connection:
        rows = connection.execute(select(benchmark).order_by(benchmark.c.name)).mappings()
        return [cast(BenchmarkRow, dict(row)) for row in rows]


def find_study_id(engine: Engine, name: str) -> int:
    """Return the key of a study, without reading its launches; raises StudyNotFound."""
    with engine.connect() as connection:
        found = connection.scalar(select(study.c.id).where(study.c.name == name))
    if found is None:
        raise _no_study(engine, name)
    return int(found)


def study_names(engine: Engine) -> list[str]:
    """Return the names of all studies, archived ones too, in alphabetical order."""
    with engine.connect() as connection:
        return list(connection.scalars(select(study.c.name).order_by(study.c.name)))


def count_trials(engine: Engine, name: str) -> TrialCounts:
    """Count the trials of a study by state, which visits every row."""
    counts = select(trial.c.state, func.count(), func.count(trial.c.duplicate_of)).group_by(trial.c.state)
    of_study = counts.where(trial.c.study_id == find_study_id(engine, name))
    with engine.connect() as connection:
        counted = connection.execute(of_study).all()
    none = dict.fromkeys(STATES, 0)
    return TrialCounts(
        none | {state: n for state, n, _ in counted}, none | {state: duplicates for state, _, duplicates in counted}
    )


def find_trial(engine: Engine, name: str, number: int) -> TrialDetail:
    """Return a trial with its launch and its runs, or those of its original; raises StudyNotFound, TrialNotFound."""
    study_id = find_study_id(engine, name)
    with engine.connect() as connection:
        query = _of_study(trial, study_id).where(trial.c.number == number)
        row = connection.execute(query).mappings().one_or_none()
        if row is None:
            raise no_trial(name, number)
        started = connection.execute(select(launch).where(launch.c.id == row["launch_id"])).mappings().one()
        source = number if row["duplicate_of"] is None else row["duplicate_of"]
        of_trial = _of_study(run, study_id).where(run.c.number == source).order_by(run.c.seed)
        runs: list[TimedRun] = []
        for one in connection.execute(of_trial).mappings().all():
            times = select(task_time.c.seconds).where(task_time.c.run_id == one["id"]).order_by(task_time.c.task)
            runs.append(cast(TimedRun, {**one, "task_seconds": list(connection.scalars(times))}))
    return cast(TrialDetail, {**row, "launch": dict(started), "runs": runs})


def find_machines(engine: Engine, name: str) -> frozenset[str | None]:
    """Return the machines of the runs of the COMPLETE trials of a study, as `machine_label` names them."""
    of_trial = (run.c.study_id == trial.c.study_id) & (run.c.number == trial.c.number)
    query = (
        select(launch.c.host, run.c.device, run.c.threads)
        .select_from(run.join(trial, of_trial).join(launch, launch.c.id == trial.c.launch_id))
        .where(trial.c.study_id == find_study_id(engine, name), trial.c.state == COMPLETE)
        .distinct()
    )
    with engine.connect() as connection:
        return frozenset(machine_label(*row) for row in connection.execute(query))


def machine_label(host: str | None, device: str | None, threads: int | None) -> str | None:
    """Name the machine of a run by host, device and threads; None where its host is not known."""
    return None if host is None else f"{host}, {device}, {threads} thread{'' if threads == 1 else 's'}"


def read_ledger(engine: Engine, name: str) -> list[LedgerRow]:
    """Return every trial row of a study as stored, by number, with its finished seeds; raises StudyNotFound."""
    study_id = find_study_id(engine, name)
    with engine.connect() as connection:
        rows = connection.execute(_of_study(trial, study_id).order_by(trial.c.number)).mappings().all()
        seeds = _finished_seeds(connection, study_id)
    return [cast(LedgerRow, {**row, "seeds": list(seeds.get(row["number"], ()))}) for row in rows]


def read_finished_configs(engine: Engine, name: str) -> Iterator[tuple[int, int, dict[str, Any]]]:
    """Yield number, finished seeds and stored configuration of the COMPLETE trials of a study that are no duplicates.

    Raises:
        StudyNotFound: if there is no study of that name.
    """
    study_id = find_study_id(engine, name)
    n_seeds = select(run.c.number, func.count()).where(run.c.study_id == study_id).group_by(run.c.number)
    finished = (trial.c.study_id == study_id, trial.c.state == COMPLETE, trial.c.duplicate_of.is_(None))
    configs = select(trial.c.number, trial.c.config).where(*finished).order_by(trial.c.number)
    with engine.connect() as connection:
        seeds: dict[int, int] = {row[0]: row[1] for row in connection.execute(n_seeds)}
        for number, config in connection.execution_options(yield_per=1000).execute(configs):
            yield number, seeds.get(number, 0), config


def read_trial_states(engine: Engine, name: str) -> list[TrialState]:
    """Return the state of every trial of a study, by number; raises StudyNotFound."""
    study_id = find_study_id(engine, name)
    columns = [trial.c[column] for column in TrialState._fields[:-1]]
    with engine.connect() as connection:
        rows = connection.execute(select(*columns).where(trial.c.study_id == study_id).order_by(trial.c.number)).all()
        seeds = _finished_seeds(connection, study_id)
    return [TrialState._make((*row, seeds.get(row.number, ()))) for row in rows]


def read_configs(engine: Engine, name: str, numbers: Sequence[int]) -> dict[int, tuple[dict[str, Any], dict[str, Any]]]:
    """Return the stored configuration and searched values of trials by number; raises StudyNotFound."""
    of_study = select(trial.c.number, trial.c.config, trial.c.params).where(
        trial.c.study_id == find_study_id(engine, name)
    )
    with engine.connect() as connection:
        found = connection.execute(of_study.where(one_of(trial.c.number, numbers)).order_by(trial.c.number))
        return {row.number: (row.config, row.params) for row in found}


def _finished_seeds(connection: Connection, study_id: int) -> dict[int, tuple[int, ...]]:
    """Finished seeds by trial, in ascending order; equal ones are one object, since there may be 100,000 of them."""
    done = select(run.c.number, run.c.seed).where(run.c.study_id == study_id).order_by(run.c.number, run.c.seed)
    known: dict[tuple[int, ...], tuple[int, ...]] = {}
    found = {}
    for number, rows in itertools.groupby(connection.execute(done), key=itemgetter(0)):
        seeds = tuple(seed for _, seed in rows)
        found[number] = known.setdefault(seeds, seeds)
    return found


def read_numbers_of_tasks(engine: Engine, name: str) -> dict[int, frozenset[int]]:
    """Return the different numbers of tasks of the runs of each trial; of a duplicate none; raises StudyNotFound."""
    found: dict[int, set[int]] = {}
    query = select(run.c.number, run.c.n_tasks).where(run.c.study_id == find_study_id(engine, name)).distinct()
    with engine.connect() as connection:
        for number, n_tasks in connection.execute(query):
            found.setdefault(number, set()).add(n_tasks)
    return {number: frozenset(each) for number, each in found.items()}


def no_trial(name: str, number: int) -> TrialNotFound:
    """Return the error for a number that a study does not have."""
    return TrialNotFound(f"study {name!r} has no trial {number}; list them: hnet study trials {name}")


def _no_study(engine: Engine, name: str) -> StudyNotFound:
    known = study_names(engine)
    where = f"study {name!r} is not in {masked(engine.url)}"
    if not known:
        return StudyNotFound(f"{where}, which holds no studies yet; run a sweep first.")
    return StudyNotFound(f"{where}{did_you_mean(name, known)}. List them: hnet study ls")


def _of_study(table: Any, study_id: int) -> Select[Any]:
    return select(table).where(table.c.study_id == study_id)


def _lease(row: Any) -> Lease:
    until = datetime.fromtimestamp(row["lease_until"], UTC)
    return {"owner": row["lease_owner"], "host": row["lease_host"], "pid": row["lease_pid"], "until": until}


def _progress(row: Any) -> dict[int, tuple[int, int]]:
    return {int(number): (done, in_all) for number, (done, in_all) in (row["progress"] or {}).items()}
