"""One configuration task by task: a chart of during and final, and the accuracy matrix as a heat map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from reports.data.study_data import StudyData
from reports.data.task_matrices import SHARE_RIGHT, Inference, TaskMatrix, task_rows
from reports.data.trial import Trial
from reports.drawing.axes import Frame, axes
from reports.drawing.heatmap import HeatScale
from reports.drawing.marks import Point, bars, line, points
from reports.drawing.scales import ContinuousScale, OrdinalScale
from reports.drawing.svg import figure
from reports.figures.inference import inference_table, inference_views, tasks_known_or_inferred
from reports.figures.matrix import MatrixView, matrix_view, seeds_text, shared_scale
from reports.figures.quality_axis import interval_ends, measured_points, place, quality_scale
from reports.formatting import mean_text, range_text, significant
from reports.table import Row, Table, integer_column, mean_columns
from studies.statistics.interval import Interval

NARROW = Frame(width=470, height=330, left=50, right=12, top=34, bottom=48)
WIDE = Frame(width=960, height=340, left=52, right=12, top=34, bottom=48)
MAX_TASKS_NARROW = 6


@dataclass(frozen=True)
class TaskView:
    """Part of the page that shows one configuration task by task.

    Attributes:
        inference: the matrices of task inference that differ from `matrix`; empty where nothing infers the task.
        inference_table: task by task with the task known and inferred; None likewise.
    """

    trial: Trial
    chart: Markup
    table: Table
    matrix: MatrixView
    inference: list[MatrixView]
    inference_table: Table | None
    is_wide: bool
    has_during: bool


def task_views(
    data: StudyData, matrices: Sequence[TaskMatrix], inference: Mapping[int, Inference] | None = None
) -> list[TaskView]:
    """Draw a view of each configuration, all on the same axes and shades so that they can be compared.

    Args:
        inference: the matrices of those that infer the task, by trial number.
    """
    scale = _y_scale(data, matrices)
    found = inference or {}
    of_measure = [one for inferred in found.values() for name, one in inferred.items() if name != SHARE_RIGHT]
    heat = shared_scale([*matrices, *of_measure], data.quality.higher_is_better)
    return [_view(data, matrix, scale, heat, found.get(matrix.trial.number, {})) for matrix in matrices]


def _frame(n_tasks: int) -> Frame:
    return WIDE if n_tasks > MAX_TASKS_NARROW else NARROW


def _y_scale(data: StudyData, matrices: Sequence[TaskMatrix]) -> ContinuousScale:
    cells = [cell for m in matrices for task in range(1, m.n_tasks + 1) for cell in (m.final(task), m.during(task))]
    means = [cell.mean for cell in cells if cell.mean is not None]
    ends = interval_ends(cells) if data.quality.higher_is_better else ()
    return quality_scale(data.quality, means, _frame(matrices[0].n_tasks).y, ends)


def _view(data: StudyData, matrix: TaskMatrix, y: ContinuousScale, heat: HeatScale, inference: Inference) -> TaskView:
    word = data.quality.word
    caption = (
        f"Test {word} on each task (column) after training each task (row), mean over seeds, {seeds_text(matrix)}. "
        f"{'The diagonal is during, the' if matrix.has_during else 'The'} last row is final. Shades span the cells "
        f"after training.{tasks_known_or_inferred(matrix, inference)}"
    )
    number, finding = matrix.trial.number, _finding(data, matrix)
    description = f"Rows: after training each task; columns: {word} on each task. The numbers are in matrix.csv."
    return TaskView(
        trial=matrix.trial,
        chart=_chart(data, matrix, y),
        table=_table(matrix),
        matrix=matrix_view(matrix, heat, caption, (f"matrix-{number}", finding, description)),
        inference=inference_views(data.quality, matrix, inference, heat),
        inference_table=inference_table(number, inference) if inference else None,
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
        axes(frame, x, y, "task, in the order of training", data.quality.axis_label),
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
    return measured_points(
        place(number, x(task), y, cell, f"task {task}, {label}: {mean_text(cell)} {range_text(cell)}, n = {cell.n}")
        for task, cell in enumerate(cells, start=1)
    )


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
        integer_column("task", "task"),
        *(mean_columns("during", "during") if matrix.has_during else []),
        *mean_columns("final", "final"),
        integer_column("n", "n"),
    ]
    rows: list[Row] = task_rows({matrix.trial.number: matrix})
    name, caption = f"tasks-{matrix.trial.number}", f"Trial {matrix.trial.number} task by task."
    return Table(name, caption, columns, rows, key="task")
