"""A finished study as one JSON file: configurations, raw matrices and provenance, for `studies.store.study_file`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Engine, select

from hnet_core.trial import WeightCounts
from studies.database.row_types import LaunchRow
from studies.database.schema import COMPLETE, evaluation, run, task_time, trial
from studies.metrics.definitions import COUNTS
from studies.queries.record import StudyRecord

VERSION = 1
OF_SPEC = ("objectives", "constraints", "search", "paper")
OF_LAUNCH = ("started_at", "git_commit", "git_dirty", "packages", "device", "threads", "data_checksum")
OF_RUN = ("seed", "peak_memory_mib", "device", "threads", "data_checksum")

Grid = list[list[float | None]]


def study_file(engine: Engine, record: StudyRecord) -> str:
    """Return the JSON text of a study: its finished trials that are no duplicates, one run a line.

    Host names and command lines are left out, so that it can be published. A matrix has a row for the untrained model
    and one after each task, (T + 1, T); null where nothing was evaluated.
    """
    trials = list(_trials(engine, record))
    head = {
        "hnet_study": VERSION,
        "name": record.name,
        **{key: record.spec[key] for key in OF_SPEC if key in record.spec},
        "launches": [_launch(row) for row in record.launches],
    }
    lines = [f" {json.dumps(key)}: {_compact(value)}," for key, value in head.items()]
    blocks = [_block(each) for each in trials]
    return "{\n" + "\n".join(lines) + '\n "trials": [\n' + ",\n".join(blocks) + "\n ]\n}\n"


def _block(one: Mapping[str, Any]) -> str:
    runs = ",\n   ".join(map(_compact, one["runs"]))
    head = _compact({key: value for key, value in one.items() if key != "runs"})
    return f'  {head[:-1]}, "runs": [\n   {runs}\n  ]}}'


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _launch(row: LaunchRow) -> dict[str, Any]:
    content: dict[str, Any] = {key: row[key] for key in OF_LAUNCH}  # type: ignore[literal-required]
    return {**content, "started_at": row["started_at"].isoformat()}


def _trials(engine: Engine, record: StudyRecord) -> Iterator[dict[str, Any]]:
    finished = (trial.c.study_id == record.id) & (trial.c.state == COMPLETE) & trial.c.duplicate_of.is_(None)
    with engine.connect() as connection:
        rows = connection.execute(select(trial).where(finished).order_by(trial.c.number)).mappings().all()
        for row in rows:
            of_trial = (run.c.study_id == record.id) & (run.c.number == row["number"])
            runs = connection.execute(select(run).where(of_trial).order_by(run.c.seed)).mappings().all()
            yield {
                "number": row["number"],
                "params": row["params"],
                "config": row["config"],
                "config_hash": row["config_hash"],
                "measure": row["measure"],
                "counts": _counts(dict(row)),
                "runs": [
                    {
                        **{key: each[key] for key in OF_RUN},
                        "seconds": _seconds(connection, each["id"]) or [each["seconds"]],
                        "matrices": _matrices(connection, each["id"], each["n_tasks"]),
                    }
                    for each in runs
                ],
            }


def _counts(row: Mapping[str, Any]) -> dict[str, Any] | None:
    known = {field: row[column] for column, field in COUNTS.items()}
    needed = [name for name in WeightCounts.__dataclass_fields__ if name in ("target", "model", "hypernet", "per_task")]
    return None if any(known[name] is None for name in needed) else known


def _seconds(connection: Any, run_id: int) -> list[float]:
    query = select(task_time.c.seconds).where(task_time.c.run_id == run_id).order_by(task_time.c.task)
    return list(connection.scalars(query))


def _matrices(connection: Any, run_id: int, n_tasks: int) -> dict[str, Grid]:
    """Return the matrix of each split, (T + 1, T)."""
    found: dict[str, Grid] = {}
    for row in connection.execute(select(evaluation).where(evaluation.c.run_id == run_id)):
        grid = found.setdefault(row.split, [[None] * n_tasks for _ in range(n_tasks + 1)])
        grid[row.after_task][row.on_task - 1] = row.value
    return dict(sorted(found.items()))
