"""Metrics of runs truncated at a rung, for early stopping."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Engine, func, select

from studies.database.count_columns import count_columns
from studies.database.evaluations import read_evaluations
from studies.database.schema import evaluation, run, task_time, trial
from studies.metrics.definitions import METRICS
from studies.metrics.values import matrix_metrics

if TYPE_CHECKING:
    import pandas as pd


def runs_after(engine: Engine, study_id: int, n_tasks: int) -> pd.DataFrame:
    """Return one row per run that trained `n_tasks` tasks of a longer stream; see `Studies.runs_after`."""
    import numpy as np
    import pandas as pd

    counts = count_columns()
    seconds = select(func.sum(task_time.c.seconds)).where(task_time.c.run_id == run.c.id, task_time.c.task <= n_tasks)
    rung = evaluation.alias("rung")
    has_trained = select(rung.c.run_id).where(rung.c.run_id == run.c.id, rung.c.after_task == n_tasks).exists()
    of_study = run.c.study_id == study_id
    query = (
        select(
            run.c.id,
            run.c.number,
            run.c.seed,
            trial.c.measure,
            run.c.peak_memory_mib,
            seconds.scalar_subquery().label("seconds"),
            *(column.label(name) for name, column in counts.items()),
        )
        .join(trial, (trial.c.study_id == run.c.study_id) & (trial.c.number == run.c.number))
        .where(of_study, run.c.n_tasks > n_tasks, has_trained)
        .order_by(run.c.id)
    )
    with engine.connect() as connection:
        found = pd.DataFrame(connection.execute(query).all(), columns=[c.name for c in query.selected_columns])
        ids = found["id"].to_numpy(dtype=int)
        cells = read_evaluations(connection, of_study, ids, n_tasks)
    measure = found["measure"].to_numpy(dtype=str)
    of_matrix = matrix_metrics(measure, np.full(len(found), n_tasks), cells)
    metrics = found[["seconds", "peak_memory_mib", *counts]].assign(**of_matrix)
    return pd.concat([found[["number", "seed"]], metrics[list(METRICS)]], axis=1).sort_values(["number", "seed"])
