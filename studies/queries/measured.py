"""Columns of a large study as arrays, without an object per trial."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlalchemy import Engine, select

from studies.database.database_clock import epoch_of
from studies.database.schema import COMPLETE, trial
from studies.queries.record import StudyRecord
from studies.queries.row_selection import RowSelection
from studies.queries.tables import trial_rows
from studies.queries.trial_columns import trial_columns, with_summary

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def read_measured(engine: Engine, record: StudyRecord, columns: Sequence[str]) -> dict[str, NDArray[np.float64]]:
    """Return columns of the COMPLETE trials of a study that are no duplicates, by number, each (n_trials,).

    Args:
        columns: numbers of `Studies.trials`, and finished_at as seconds since 1970; NaN stands for a missing value.
    """
    import numpy as np

    known = trial_columns() | {"finished_at": epoch_of(trial.c.finished_at)}
    query = (
        select(*(known[name] for name in columns))
        .select_from(with_summary())
        .where(trial.c.study_id == record.id, trial.c.state == COMPLETE, trial.c.duplicate_of.is_(None))
        .order_by(trial.c.number)
    )
    with engine.connect() as connection:
        cursor = connection.execute(query).cursor  # its rows are plain tuples, which costs half as much
        assert cursor is not None, "a SELECT has a cursor"
        values = list(zip(*cursor.fetchall(), strict=True)) or [()] * len(columns)
    return {name: np.array(column, dtype=float) for name, column in zip(columns, values, strict=True)}


def read_matching(engine: Engine, record: StudyRecord, where: str) -> NDArray[np.int_]:
    """Return the numbers of the trials of a study that meet a condition, ascending, (n_trials,).

    Raises:
        ConfigInvalid: if it is no condition, or names an unknown column.
    """
    import numpy as np

    found = trial_rows(engine, record, RowSelection(where), columns=["number"])
    return np.array([number for (number,) in found.values], dtype=int)
