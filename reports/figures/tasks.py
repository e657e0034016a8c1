"""One configuration task by task: a chart of during and final, and the accuracy matrix as a heat map."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from markupsafe import Markup

from reports.data.study_data import StudyData
from reports.data.task_matrices import TaskMatrix, task_rows
from reports.data.trial import Trial
from reports.drawing.axes import Frame, axes
from reports.drawing.heatmap import HeatScale, heat_cells
from reports.drawing.marks import Point, bars, line, points
from reports.drawing.scales import ContinuousScale, OrdinalScale
from reports.drawing.svg import element, figure
from reports.figures.quality_axis import interval_ends, place, quality_scale
from reports.formatting import mean_text, range_text, significant
from reports.table import Column, Row, Table, mean_columns
from studies.statistics.interval import Interval

NARROW = Frame(width=470, height=330, left=50, right=12, top=34, bottom=48)
WIDE = Frame(width=960, height=340, left=52, right=12, top=34, bottom=48)
MAX_TASKS_NARROW = 6
MAX_CELLS_WITH_NUMBERS = 12
HEAT_SIZE, HEAT_LEFT = 520.0, 72.0


class HeatCell(NamedTuple):
    """A cell of the matrix as text, with its level of colour; None where it was not evaluated."""

    text: str
    level: int | None


class HeatRow(NamedTuple):
    """A row of the matrix: the tasks after one task was trained."""

    label: str
    cells: list[HeatCell]


@dataclass(frozen=True)
class TaskView:
    """Part of the page that shows one configuration task by task.

    Attributes:
        heat: the matrix as text; empty where there are too many tasks for numbers.
        heat_map: the drawing used instead of the numbers, None where there are few tasks.
    """

    trial: Trial
    chart: Markup
    table: Table
    heat: list[HeatRow]
    heat_map: Markup | None
    caption: str
    is_wide: bool
    has_during: bool


def task_views(data: StudyData, matrices: Sequence[TaskMatrix]) -> list[TaskView]:
    """Draw a view of each configuration, all on the same axes and shades so that they can be compared."""
    scale = _y_scale(data, matrices)
    heat = heat_scale(data, matrices)
    return [_view(data, matrix, scale, heat) for matrix in matrices]


def heat_scale(data: StudyData, matrices: Sequence[TaskMatrix]) -> HeatScale:
    """Return a color scale from the lowest to the highest mean after any training; the untrained model may be below."""
    import numpy as np

    cells = np.concatenate([matrix.mean[1:].ravel() for matrix in matrices])
    return HeatScale(float(np.nanmin(cells)), float(np.nanmax(cells)), data.quality.higher_is_better)


def _frame(n_tasks: int) -> Frame:
    return WIDE if n_tasks > MAX_TASKS_NARROW else NARROW


def _y_scale(data: StudyData, matrices: Sequence[TaskMatrix]) -> ContinuousScale:
    cells = [cell for m in matrices for task in range(1, m.n_tasks + 1) for cell in (m.final(task), m.during(task))]
    means = [cell.mean for cell in cells if cell.mean is not None]
    ends = interval_ends(cells) if data.quality.higher_is_better else ()
    return quality_scale(data.quality, means, _frame(matrices[0].n_tasks).y, ends)


def _view(data: StudyData, matrix: TaskMatrix, y: ContinuousScale, heat: HeatScale) -> TaskView:
    few = matrix.n_tasks <= MAX_CELLS_WITH_NUMBERS
    seeds = sorted({int(n) for n in matrix.n.ravel() if n})
    n_text = f"n = {seeds[0]}" if len(seeds) == 1 else f"n = {seeds[0]} to {seeds[-1]}" if seeds else "n = 0"
    return TaskView(
        trial=matrix.trial,
        chart=_chart(data, matrix, y),
        table=_table(matrix),
        heat=_heat_rows(matrix, heat) if few else [],
        heat_map=None if few else _heat_map(data, matrix, heat),
        caption=f"Test {data.quality.word} on each task (column) after training each task (row), mean over seeds, "
        f"{n_text} per cell. {'The diagonal is during, the' if matrix.has_during else 'The'} last row is final. Shades "
        f"span the cells after training.",
        is_wide=matrix.n_tasks > MAX_TASKS_NARROW,
        has_during=matrix.has_during,
    )


def _chart(data: StudyData, matrix: TaskMatrix, y: ContinuousScale) -> Markup:
    tasks = tuple(range(1, matrix.n_tasks + 1))
    frame = _frame(matrix.n_tasks)
    x = OrdinalScale(tasks, frame.x, tuple(str(task) for task in tasks))
    number, word = matrix.trial.number, data.quality.word
    during = _series(number, "during", [matrix.during(task) for task in tasks], x, y) if matrix.has_during else []
    final = _series(number, "final", [matrix.final(task) for task in tasks], x, y)
    parts = [
        axes(frame, x, y, "task, in the order of training", f"{word}, mean over seeds"),
        line([(point.x, point.y) for point in during], "during-line"),
        line([(point.x, point.y) for point in final], "final-line"),
        bars(during, "during member"),
        bars(final, "final member"),
        points(during, "during member", titled=True),
        points(final, "final member", titled=True),
    ]
    squares = "right after it was trained (squares) and " if matrix.has_during else ""
    description = f"Test {word} per task, {squares}after the last task (dots)."
    return figure(f"tasks-{number}", (frame.width, frame.height), _finding(data, matrix), description, parts)


def _series(number: int, label: str, cells: Sequence[Interval], x: OrdinalScale, y: ContinuousScale) -> list[Point]:
    placed = (
        place(number, x(task), y, cell, f"task {task}, {label}: {mean_text(cell)} {range_text(cell)}, n = {cell.n}")
        for task, cell in enumerate(cells, start=1)
    )
    return [point for point in placed if point is not None]


def _finding(data: StudyData, matrix: TaskMatrix) -> str:
    """Name the task that lost most between its own training and the end."""
    if not matrix.has_during:
        return f"Trial {matrix.trial.number}: nothing was measured right after each task, only after the last."
    sign = 1 if data.quality.higher_is_better else -1
    lost = {
        task: sign * (during - final)
        for task in range(1, matrix.n_tasks + 1)
        if (during := matrix.during(task).mean) is not None and (final := matrix.final(task).mean) is not None
    }
    if not lost or max(lost.values()) <= 0:
        return f"Trial {matrix.trial.number}: no task got worse after it was trained."
    task = max(lost, key=lambda key: lost[key])
    return f"Trial {matrix.trial.number}: task {task} lost most after it was trained, {significant(lost[task], 2)}."


def _table(matrix: TaskMatrix) -> Table:
    columns = [
        Column("task", "task", lambda row: str(row["task"])),
        *(mean_columns("during", "during") if matrix.has_during else []),
        *mean_columns("final", "final"),
        Column("n", "n", lambda row: str(row["n"])),
    ]
    rows: list[Row] = task_rows({matrix.trial.number: matrix})
    name, caption = f"tasks-{matrix.trial.number}", f"Trial {matrix.trial.number} task by task."
    return Table(name, caption, columns, rows, key="task")


def _heat_rows(matrix: TaskMatrix, heat: HeatScale) -> list[HeatRow]:
    labels = ["untrained", *(f"after task {task}" for task in range(1, matrix.n_tasks + 1))]
    rows = zip(labels, matrix.mean.tolist(), strict=True)
    measured = [(label, means) for label, means in rows if not all(map(math.isnan, means))]
    return [HeatRow(label, [_heat_cell(mean, heat) for mean in means]) for label, means in measured]


def _heat_cell(mean: float, heat: HeatScale) -> HeatCell:
    return HeatCell("", None) if math.isnan(mean) else HeatCell(f"{mean:.3f}", heat.level(mean))


def _heat_map(data: StudyData, matrix: TaskMatrix, heat: HeatScale) -> Markup:
    """Draw the matrix without numbers: one path per level, neighbours of a level joined."""
    side = HEAT_SIZE / matrix.n_tasks
    cells = heat_cells(matrix.mean, heat, (HEAT_LEFT, 0.0), (side, side))
    height = side * (matrix.n_tasks + 1)
    left, right, below = HEAT_LEFT - 6, HEAT_LEFT + HEAT_SIZE, height + 16
    texts = [
        element("text", "untrained", x=left, y=side / 2 + 4, text_anchor="end", class_="note"),
        element("text", f"after {matrix.n_tasks}", x=left, y=height - side / 2 + 4, text_anchor="end", class_="note"),
        element("text", "task 1", x=HEAT_LEFT, y=below, class_="note"),
        element("text", f"task {matrix.n_tasks}", x=right, y=below, text_anchor="end", class_="note"),
    ]
    name = f"matrix-{matrix.trial.number}"
    description = (
        f"Rows: after training each task; columns: {data.quality.word} on each task. The numbers are in matrix.csv."
    )
    return figure(name, (right, height + 22), _finding(data, matrix), description, [cells, *texts])
