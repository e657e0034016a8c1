"""Bulk reading of the measured matrices of trials."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from sqlalchemy import Engine, func, select

from studies.database.integer_sets import one_of
from studies.database.schema import evaluation, run, trial

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def read_matrices(
    engine: Engine, study_id: int, numbers: Collection[int], split: str
) -> dict[int, NDArray[np.float64]]:
    """Read `Studies.matrices` of each trial by its number; numbers that do not exist are left out."""
    import numpy as np

    original = func.coalesce(trial.c.duplicate_of, trial.c.number).label("original")
    query = select(trial.c.number, original).where(trial.c.study_id == study_id, one_of(trial.c.number, numbers))
    with engine.connect() as connection:
        originals = {row.number: row.original for row in connection.execute(query)}
        wanted = (run.c.study_id == study_id) & one_of(run.c.number, {*originals.values()})
        by_seed = select(run.c.number, run.c.id, run.c.n_tasks).where(wanted).order_by(run.c.seed)
        runs: dict[int, dict[int, int]] = {number: {} for number in originals.values()}
        for number, run_id, n_tasks in connection.execute(by_seed):
            runs[number][run_id] = n_tasks
        cells = select(evaluation).join(run, run.c.id == evaluation.c.run_id).where(wanted, evaluation.c.split == split)
        found: dict[int, NDArray[np.float64]] = {}
        of_run: dict[int, NDArray[np.float64]] = {}
        for number, n_tasks_of in runs.items():
            n_tasks = max(n_tasks_of.values(), default=0)
            found[number] = np.full((len(n_tasks_of), n_tasks + 1, n_tasks), np.nan)
            of_run |= dict(zip(n_tasks_of, found[number], strict=True))  # views of `found`, filled below
        for run_id, _, after_task, on_task, value in connection.execute(cells):
            of_run[run_id][after_task, on_task - 1] = value
    return {number: found[source] for number, source in originals.items()}
