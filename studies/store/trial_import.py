"""Brings trials measured elsewhere into a study database.

They are marked as imported in their launch, and a cost that was not measured is left out, never made up.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Engine, insert, update

from studies.database.schema import evaluation, launch, run, study, task_time, trial
from studies.database.stored_metrics import TrialRange, add_summaries
from studies.store.imported_trials import ImportedTrial
from studies.store.store import insert_study

CELLS_AT_A_TIME = 50_000
TRIALS_AT_A_TIME = 1_000


def import_trials(
    engine: Engine,
    name: str,
    trials: Iterable[ImportedTrial],
    source: str,
    objectives: Mapping[str, str],
    progress: Callable[[int], None] | None = None,
    spec: Mapping[str, Any] | None = None,
    provenance: Mapping[str, Any] | None = None,
) -> Counter[str]:
    """Make a study of trials measured elsewhere; the number of them by state.

    All is written in one transaction, so that a study is there whole or not at all, whatever ends this process.

    Args:
        trials: by ascending numbers, which they keep.
        progress: called with the number of evaluations written so far.
        spec: further keys of its spec, such as what was searched.
        provenance: columns of its launch, where it is known how it was trained.

    Raises:
        StudyExists: if the name is taken.
        ConfigInvalid: if the name cannot be one, or `trials` finds something that cannot be.
    """
    content = {"study": name, "imported_from": source, "objectives": dict(objectives), **(spec or {})}
    states: Counter[str] = Counter()
    seeds = written = 0
    with engine.execution_options(hnet_writes=True).begin() as connection:
        identity = str(uuid.uuid4())
        study_id = insert_study(connection, name, content, seeds, identity)
        unknown = {"device": "imported", "started_at": datetime.now(UTC)}
        started = {"command_line": f"imported from {source}", **unknown, **(provenance or {})}
        of_launch = insert(launch).returning(launch.c.id)
        launch_id = connection.execute(of_launch, {**started, "study_id": study_id}).scalar_one()
        for batch in _batches(trials):
            _insert_trials(connection, {"study_id": study_id, "launch_id": launch_id}, identity, batch)
            written += sum(len(each.cells) for one in batch for each in one.runs)
            states.update(one.state for one in batch)
            seeds = max(seeds, *(len(one.runs) for one in batch))
            if progress is not None:
                progress(written)
        connection.execute(update(study).where(study.c.id == study_id).values(seeds=seeds))
    return states


def _batches(trials: Iterable[ImportedTrial]) -> Iterator[list[ImportedTrial]]:
    """The trials in lists that fit into memory."""
    batch: list[ImportedTrial] = []
    cells = 0
    for one in trials:
        batch.append(one)
        cells += sum(len(each.cells) for each in one.runs)
        if cells >= CELLS_AT_A_TIME or len(batch) >= TRIALS_AT_A_TIME:
            yield batch
            batch, cells = [], 0
    if batch:
        yield batch


def _insert_trials(
    connection: Connection, keys: Mapping[str, int], identity: str, batch: Sequence[ImportedTrial]
) -> None:
    connection.execute(insert(trial), [{**_trial_row(one, identity), **keys} for one in batch])
    runs = [(one, each) for one in batch for each in one.runs]
    if not runs:
        return
    rows = [
        {
            "study_id": keys["study_id"],
            "number": one.number,
            "seed": each.seed,
            "attempt": 1,
            "n_tasks": one.n_tasks,
            "seconds": each.seconds,
            "peak_memory_mib": each.peak_memory_mib,
            **asdict(each.machine),
        }
        for one, each in runs
    ]
    ids = connection.scalars(insert(run).returning(run.c.id, sort_by_parameter_order=True), rows).all()
    columns = ("run_id", "split", "after_task", "on_task", "value")
    cells = [
        dict(zip(columns, (run_id, *cell, value), strict=True))
        for run_id, (_, each) in zip(ids, runs, strict=True)
        for cell, value in each.cells.items()
    ]
    connection.execute(insert(evaluation), cells)
    times = [
        {"run_id": run_id, "task": task, "seconds": seconds}
        for run_id, (_, each) in zip(ids, runs, strict=True)
        for task, seconds in enumerate(each.task_seconds, start=1)
    ]
    if times:
        connection.execute(insert(task_time), times)
    add_summaries(connection, TrialRange(keys["study_id"], batch[0].number, batch[-1].number))


def _trial_row(one: ImportedTrial, identity: str) -> dict[str, Any]:
    now = datetime.now(UTC)
    known = {} if one.weights is None else {f"{what}_weights": n for what, n in asdict(one.weights).items()}
    return {
        **one.suggested(identity).columns(),
        **known,
        "number": one.number,
        "state": one.state,
        "reason": one.reason,
        "attempt": 1,
        "created_at": now,
        "finished_at": now,
    }
