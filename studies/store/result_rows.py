"""Database rows of one training run: run, evaluation (the matrix in long form) and task_time."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from hnet_core.errors import TrainingDiverged
from hnet_core.trial import TrialResult
from studies.database.schema import evaluation, run, task_time
from studies.metrics.definitions import COUNTS


def check_result(row: Mapping[str, Any], result: TrialResult) -> None:
    """Refuse a result that is not of the trial in `row`, or holds no number where a measurement should be.

    Raises:
        ValueError: if configuration, measure or weight counts differ from those the trial was started with.
        TrainingDiverged: if a measured value is NaN or infinite.
    """
    counted = {column: getattr(result.counts, field) for column, field in COUNTS.items()}
    came = {"config_hash": result.config_hash, "measure": result.measure, **counted}
    for name, value in came.items():
        if row[name] not in (value, None):  # NULL in rows from before a count was introduced
            raise ValueError(f"a run of trial {row['number']} must have {name} {row[name]}, got {value}.")
    for _, after_task, on_task, measured in _evaluations(result):
        if not math.isfinite(measured):
            where = f"task {on_task} after task {after_task}, seed {result.seed}"
            raise TrainingDiverged(f"the {result.measure} must be a number, got {measured} on {where}.")


def insert_results(
    connection: Connection, study_id: int, number: int, attempt: int, results: Sequence[TrialResult]
) -> None:
    """Add the rows of each result, within the transaction of `connection`."""
    for result in results:
        row = {
            "study_id": study_id,
            "number": number,
            "seed": result.seed,
            "attempt": attempt,
            "n_tasks": len(result.untrained),
            "seconds": sum(result.seconds),
            "peak_memory_mib": result.peak_memory_mib,
            "device": result.device,
            "threads": result.threads,
            "data_checksum": result.data_checksum,
        }
        run_id = connection.execute(run.insert().returning(run.c.id), row).scalar_one()
        columns = ("run_id", "split", "after_task", "on_task", "value")
        connection.execute(
            evaluation.insert(), [dict(zip(columns, (run_id, *cell), strict=True)) for cell in _evaluations(result)]
        )
        connection.execute(
            task_time.insert(),
            [{"run_id": run_id, "task": i, "seconds": seconds} for i, seconds in enumerate(result.seconds, start=1)],
        )


def _evaluations(result: TrialResult) -> Iterator[tuple[str, int, int, float]]:
    """Yield (split, after_task, on_task, value) of each evaluated cell; tasks from 1, after task 0 is untrained."""
    for split, matrix in result.matrices.items():
        untrained: tuple[float, ...] = result.untrained if split == "test" else ()
        for after_task, row in enumerate((untrained, *matrix)):
            for on_task, value in enumerate(row, start=1):
                if value is not None:
                    yield split, after_task, on_task, value
