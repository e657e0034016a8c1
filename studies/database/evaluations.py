"""Bulk reading of the evaluated cells of many runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, Connection, case, select

from hnet_core.trial import MATRICES
from studies.database.schema import evaluation, run
from studies.metrics.from_matrix import Evaluations

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def read_evaluations(
    connection: Connection, of_runs: ColumnElement[bool], run_ids: NDArray[np.int_], n_tasks: int | None = None
) -> Evaluations:
    """Read the cells that metrics need.

    All of the test split and of the cosines; of the other matrices the last row, and with the task known the diagonal.

    Args:
        of_runs: which runs, a condition on their table.
        run_ids: the same runs by id, in ascending order, (n_runs,); cells of others are left out.
        n_tasks: read as if the stream had ended after so many tasks; left out: all of it.
    """
    import numpy as np

    after, split = evaluation.c.after_task, evaluation.c.split
    last = run.c.n_tasks if n_tasks is None else n_tasks
    matrix = case({name: i for i, name in enumerate(MATRICES)}, value=split)  # a number, as the array holds floats
    query = (
        select(evaluation.c.run_id, matrix, after, evaluation.c.on_task, evaluation.c.value)
        .join(run, run.c.id == evaluation.c.run_id)
        .where(
            of_runs,
            after <= last,
            evaluation.c.on_task <= last,
            split.in_(("test", "gradient_cosine"))
            | (after == last)
            | ((split == "known_task") & (after == evaluation.c.on_task)),
        )
    )
    # Straight from the driver, whose tuples numpy reads several times faster than rows of SQLAlchemy.
    rows = connection.execute(query).cursor.fetchall()
    columns = np.array(rows, dtype=float).reshape(-1, 5)
    columns = columns[np.isin(columns[:, 0], run_ids)].T
    return Evaluations(
        run=np.searchsorted(run_ids, columns[0].astype(int)),
        split=columns[1].astype(int),
        after_task=columns[2].astype(int),
        on_task=columns[3].astype(int),
        value=columns[4],
    )
