"""What is derived from the raw measurements and kept beside them: metrics of each run, and of each trial over seeds.

Written together with the runs they are derived from, added where an upgrade made room for them, and derived again by
`check_summaries` to see that both still say the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Connection, Table, and_, delete, insert, select

from studies.database.evaluations import read_evaluations
from studies.database.schema import PRUNED, run, run_summary, study, trial, trial_summary
from studies.metrics.definitions import MATRIX_METRICS, VARYING
from studies.metrics.from_matrix import matrix_metrics
from studies.statistics.intervals import over_seeds

if TYPE_CHECKING:
    from numpy.typing import NDArray

TRIALS_AT_A_TIME = 1000  # of 5 seeds with 25 evaluations each some 50 MB
TOLERANCE = 1e-12


@dataclass(frozen=True)
class Trials:
    """The trials of one study whose numbers are from `first` to `last`."""

    study_id: int
    first: int
    last: int

    def of(self, table: Table) -> ColumnElement[bool]:
        """The condition that a row of `table` is of these trials."""
        return and_(table.c.study_id == self.study_id, table.c.number.between(self.first, self.last))


def add_summaries(connection: Connection, trials: Trials) -> None:
    """Sum up the runs of some trials, within the transaction that added the runs; what was there is replaced."""
    runs, over_seeds = _derived(connection, trials)
    of_runs = run_summary.c.run_id.in_(select(run.c.id).where(trials.of(run)))
    connection.execute(delete(run_summary).where(of_runs))
    connection.execute(delete(trial_summary).where(trials.of(trial_summary)))
    if runs:
        connection.execute(insert(run_summary), runs)
        connection.execute(insert(trial_summary), over_seeds)


def fill_summaries(connection: Connection) -> None:
    """Add every summary that is missing, as all are after an upgrade from before they were kept."""
    kept = select(run_summary.c.run_id).where(run_summary.c.run_id == run.c.id).exists()
    for trials in windows(connection):
        if connection.scalar(select(run.c.id).where(trials.of(run), ~kept).limit(1)) is not None:
            add_summaries(connection, trials)


def check_summaries(connection: Connection) -> Iterator[str]:
    """One line for each summary that is missing, is of nothing, or is not what the raw measurements say."""
    for trials in windows(connection):
        runs, over_seeds = _derived(connection, trials)
        kept_runs = select(run_summary).join(run, run.c.id == run_summary.c.run_id).where(trials.of(run))
        yield from _differences("run", runs, connection.execute(kept_runs).mappings().all())
        kept = select(trial_summary).where(trials.of(trial_summary))
        yield from _differences("trial", over_seeds, connection.execute(kept).mappings().all())


def _derived(connection: Connection, trials: Trials) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The rows of run_summary and trial_summary that the runs of some trials should have."""
    import numpy as np

    costs = (run.c.seconds, run.c.peak_memory_mib)
    query = select(run.c.id, run.c.number, run.c.n_tasks, trial.c.measure, *costs).join(trial)
    found = connection.execute(query.where(trials.of(run), trial.c.state != PRUNED).order_by(run.c.id)).all()
    if not found:
        return [], []
    run_id, number, n_tasks, measure, seconds, memory = (np.array(column) for column in zip(*found, strict=True))
    metrics = matrix_metrics(measure, n_tasks, read_evaluations(connection, trials.of(run), run_id))
    runs = _rows({"run_id": run_id} | {name: metrics[name] for name in MATRIX_METRICS})
    costs_known = {"seconds": seconds, "peak_memory_mib": memory}  # 0: not known
    varying = metrics | {name: np.where(values > 0, values, np.nan) for name, values in costs_known.items()}
    numbers, group = np.unique(number, return_inverse=True)
    columns = {"study_id": np.full(len(numbers), trials.study_id), "number": numbers, "n": np.bincount(group)}
    for name in VARYING:
        columns |= dict(zip((name, f"{name}_low", f"{name}_high"), over_seeds(group, varying[name]), strict=True))
    return runs, _rows(columns)


def windows(connection: Connection, study_id: int | None = None) -> Iterator[Trials]:
    """All trials of a database or of one study, some at a time; numbers may have gaps of any size."""
    if study_id is None:
        for one in connection.scalars(select(study.c.id).order_by(study.c.id)).all():
            yield from windows(connection, one)
        return
    last = -1
    while True:
        of_study = select(trial.c.number).where(trial.c.study_id == study_id, trial.c.number > last)
        numbers = connection.scalars(of_study.order_by(trial.c.number).limit(TRIALS_AT_A_TIME)).all()
        if not numbers:
            return
        last = numbers[-1]
        yield Trials(study_id, numbers[0], last)


def _rows(columns: Mapping[str, NDArray[Any]]) -> list[dict[str, Any]]:
    """One dict per row, NaN as NULL."""
    plain = [[None if value != value else value for value in column.tolist()] for column in columns.values()]
    return [dict(zip(columns, row, strict=True)) for row in zip(*plain, strict=True)]


def _differences(what: str, derived: Sequence[Mapping[str, Any]], kept: Sequence[Mapping[Any, Any]]) -> Iterator[str]:
    key = ("run_id",) if what == "run" else ("study_id", "number")
    missing = {tuple(row[name] for name in key): row for row in kept}
    for row in derived:
        name = f"{what} {' / '.join(str(row[part]) for part in key)}"
        found = missing.pop(tuple(row[part] for part in key), None)
        if found is None:
            yield f"{name} has no summary"
            continue
        for column, value in row.items():
            if not _same(value, found[column]):
                yield f"{name}: {column} must be {value}, got {found[column]}"
    yield from (f"{what} {' / '.join(map(str, row))} has a summary and no runs" for row in missing)


def _same(derived: float | None, kept: float | None) -> bool:
    if derived is None or kept is None:
        return derived is kept
    return abs(derived - kept) <= TOLERANCE * max(1.0, abs(derived))
