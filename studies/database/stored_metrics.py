"""Summaries kept beside the raw measurements: metrics of each run, and of each trial over seeds.

They are written together with the runs they are derived from, filled in by an upgrade where they are missing, and
derived again by `check_summaries` for comparison.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Connection, Table, and_, delete, insert, inspect, select, text

from studies.database.evaluations import read_evaluations
from studies.database.schema import PRUNED, VIEW_NAMES, run, run_summary, study, trial, trial_summary
from studies.metrics.definitions import COST_METRICS, MATRIX_METRICS, METRICS, VARYING
from studies.metrics.values import matrix_metrics
from studies.missing import nan_to_none
from studies.statistics.intervals import over_seeds

if TYPE_CHECKING:
    from numpy.typing import NDArray

TRIALS_AT_A_TIME = 1000  # of 5 seeds with 25 evaluations each some 50 MB
TOLERANCE = 1e-12


@dataclass(frozen=True)
class TrialRange:
    """The trials of one study whose numbers are from `first` to `last`."""

    study_id: int
    first: int
    last: int

    def of(self, table: Table) -> ColumnElement[bool]:
        """Return the condition that a row of `table` is of these trials."""
        return and_(table.c.study_id == self.study_id, table.c.number.between(self.first, self.last))


def add_summaries(connection: Connection, trials: TrialRange) -> None:
    """Replace the summaries of some trials, within the transaction that added their runs."""
    runs, over_seeds = _derived(connection, trials)
    of_runs = run_summary.c.run_id.in_(select(run.c.id).where(trials.of(run)))
    connection.execute(delete(run_summary).where(of_runs))
    connection.execute(delete(trial_summary).where(trials.of(trial_summary)))
    if runs:
        connection.execute(insert(run_summary), runs)
        connection.execute(insert(trial_summary), over_seeds)


def fill_summaries(connection: Connection) -> None:
    """Add every summary that is missing, as after an upgrade from a schema without summaries."""
    kept = select(run_summary.c.run_id).where(run_summary.c.run_id == run.c.id).exists()
    for trials in windows(connection):
        if connection.scalar(select(run.c.id).where(trials.of(run), ~kept).limit(1)) is not None:
            add_summaries(connection, trials)


def rebuild_summaries(connection: Connection) -> None:
    """Recreate the tables of summaries where their columns are not those of the metrics, and fill in what is missing.

    They hold nothing that cannot be derived, so a new metric needs no migration.
    """
    if not inspect(connection).has_table(run_summary.name):  # migrated only to a revision from before them
        return
    for table in (run_summary, trial_summary):
        if _columns_of(connection, table.name) != set(table.c.keys()):
            table.drop(connection)
            table.create(connection)
    fill_summaries(connection)


def lacks_metrics(connection: Connection) -> bool:
    """Return whether a metric has no column yet in the summaries or in a view."""
    expected = {table.name: set(table.c.keys()) for table in (run_summary, trial_summary)}
    expected |= {name: set(METRICS) for name in inspect(connection).get_view_names() if name in VIEW_NAMES}
    return any(not columns <= _columns_of(connection, name) for name, columns in expected.items())


def _columns_of(connection: Connection, name: str) -> set[str]:
    return set(connection.execute(text(f"SELECT * FROM {name} LIMIT 0")).keys())


def check_summaries(connection: Connection) -> Iterator[str]:
    """Yield one line for each summary that is missing, has no runs, or differs from the raw measurements."""
    for trials in windows(connection):
        runs, over_seeds = _derived(connection, trials)
        kept_runs = select(run_summary).join(run, run.c.id == run_summary.c.run_id).where(trials.of(run))
        yield from _differences("run", runs, connection.execute(kept_runs).mappings().all())
        kept = select(trial_summary).where(trials.of(trial_summary))
        yield from _differences("trial", over_seeds, connection.execute(kept).mappings().all())


def _derived(connection: Connection, trials: TrialRange) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the rows of run_summary and trial_summary that the runs of some trials should have."""
    import numpy as np

    costs = [run.c[name] for name in COST_METRICS]
    query = select(run.c.id, run.c.number, run.c.n_tasks, trial.c.measure, *costs).join(trial)
    found = connection.execute(query.where(trials.of(run), trial.c.state != PRUNED).order_by(run.c.id)).all()
    if not found:
        return [], []
    run_id, number, n_tasks, measure, *costs_of_runs = (np.array(column) for column in zip(*found, strict=True))
    metrics = matrix_metrics(measure, n_tasks, read_evaluations(connection, trials.of(run), run_id))
    runs = _rows({"run_id": run_id} | {name: metrics[name] for name in MATRIX_METRICS})
    varying = dict(metrics)
    for name, values in zip(COST_METRICS, costs_of_runs, strict=True):
        varying[name] = np.where(values > 0, values, np.nan)  # 0: not known
    numbers, group = np.unique(number, return_inverse=True)
    columns = {"study_id": np.full(len(numbers), trials.study_id), "number": numbers, "n": np.bincount(group)}
    for name in VARYING:
        columns |= dict(zip((name, f"{name}_low", f"{name}_high"), over_seeds(group, varying[name]), strict=True))
    return runs, _rows(columns)


def windows(connection: Connection, study_id: int | None = None) -> Iterator[TrialRange]:
    """Yield all trials of a database or of one study in ranges of limited size; numbers may have gaps of any size."""
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
        yield TrialRange(study_id, numbers[0], last)


def _rows(columns: Mapping[str, NDArray[Any]]) -> list[dict[str, Any]]:
    """Turn columns into one dict per row, NaN into None."""
    plain = [list(map(nan_to_none, column.tolist())) for column in columns.values()]
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
