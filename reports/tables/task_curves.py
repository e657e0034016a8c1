"""Tables of several configurations task by task: by task, on average over the tasks learnt, and each task over time."""

from __future__ import annotations

from collections.abc import Sequence

from reports.data.task_curves import StreamCurves, TaskCurve
from reports.table import Column, Row, Table, count_column, interval_cells, mean_columns, text_column

MAX_ROWS = 200
LABEL = text_column("label", "configuration")
SEEDS = count_column("n", "n", "seeds")


def by_task_rows(stream: StreamCurves) -> list[Row]:
    """List during and final of every task of every configuration."""
    return [
        {
            **_who(curve),
            "task": task,
            **interval_cells("during", during),
            **interval_cells("final", final),
            "n": final.n,
        }
        for curve in stream.curves
        for task, (during, final) in enumerate(zip(curve.during(), curve.finals(), strict=True), start=1)
    ]


def average_rows(stream: StreamCurves) -> list[Row]:
    """List the mean over the tasks learnt so far after every task of every configuration."""
    return [
        {**_who(curve), "after_task": task, **interval_cells("mean", mean), "n": mean.n}
        for curve in stream.curves
        for task, mean in enumerate(curve.averages, start=1)
        if mean.mean is not None
    ]


def matrix_rows(stream: StreamCurves) -> list[Row]:
    """List every measured cell on and below the diagonal of every matrix."""
    return [
        {**_who(curve), "on_task": task, "after_task": after, **interval_cells("mean", cell), "n": cell.n}
        for curve in stream.curves
        for task in range(1, curve.n_tasks + 1)
        for after, cell in enumerate(curve.over_time(task), start=task)
        if cell.mean is not None
    ]


def by_task_table(name: str, caption: str, stream: StreamCurves) -> Table:
    """Make the table of `by_task_rows`."""
    during = mean_columns("during", "during") if stream.has_during else []
    columns = [LABEL, count_column("task", "task"), *during, *mean_columns("final", "final"), SEEDS]
    return _cut(name, caption, columns, by_task_rows(stream))


def average_table(name: str, caption: str, stream: StreamCurves) -> Table:
    """Make the table of `average_rows`."""
    columns = [LABEL, count_column("after_task", "after task"), *mean_columns("mean", "mean over tasks"), SEEDS]
    return _cut(name, caption, columns, average_rows(stream))


def over_time_table(name: str, caption: str, stream: StreamCurves, tasks: Sequence[int]) -> Table:
    """Make the table of those of `matrix_rows` on some tasks."""
    after = count_column("after_task", "after task")
    columns = [LABEL, count_column("on_task", "on task"), after, *mean_columns("mean", "mean"), SEEDS]
    return _cut(name, caption, columns, [row for row in matrix_rows(stream) if row["on_task"] in tasks])


def _cut(name: str, caption: str, columns: Sequence[Column], rows: Sequence[Row]) -> Table:
    return Table(name, caption, columns, rows[:MAX_ROWS], left_out=max(0, len(rows) - MAX_ROWS))


def _who(curve: TaskCurve) -> Row:
    method = curve.method
    return {"label": curve.label, "stream": method.stream, "study": method.study, "number": method.trial.number}
