"""Several configurations task by task: by task index, on average over the tasks learnt, and each task over time.

The figures of von Oswald et al. (2020), 3a, A2a, A4 and A5, and of Hemati et al. (2023), 7, 8 and 11.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from markupsafe import Markup

from reports.data.task_curves import StreamCurves, TaskCurve
from reports.data.thinning import evenly_spaced
from reports.drawing.axes import Frame, axes
from reports.drawing.marks import band, bars, glyphs, line
from reports.drawing.scales import ContinuousScale, OrdinalScale
from reports.drawing.svg import figure
from reports.figures.figure import Figure
from reports.figures.quality_axis import interval_ends, place, quality_scale
from reports.formatting import capitalized, mean_text, range_text, significant
from reports.tables.task_curves import (
    average_rows,
    average_table,
    by_task_rows,
    by_task_table,
    matrix_rows,
    over_time_table,
)
from studies.statistics.interval import Interval

WIDE = Frame(width=960, height=420, left=52, right=16, top=34, bottom=48)
PANEL = Frame(width=470, height=280, left=50, right=12, top=34, bottom=46)
MAX_PANELS = 12
MAX_BARS = 20  # tasks with a bar and a mark each; more are drawn as a line in a band
MARKS_ON_BAND = 10
SPREAD = 0.6  # of the place of a task, over which the curves stand side by side
INTERVAL = "the 95 % t interval over seeds"

# The intervals of each curve, by its index: one for each task.
CurveIntervals = Mapping[int, Sequence[Interval]]


class CurveLayer(NamedTuple):
    """Curves drawn alike: in full, or as thin lines without marks."""

    values: CurveIntervals
    is_thin: bool = False


class Chart(NamedTuple):
    """The axes of a drawing; `first_task` is the task of the first interval of each curve."""

    stream: StreamCurves
    frame: Frame
    y: ContinuousScale
    x_label: str
    y_label: str
    first_task: int = 1

    def draw(self, name: str, title: str, description: str, layers: Sequence[CurveLayer]) -> Markup:
        """Draw all curves of each layer; `title` and `description` are read in place of the drawing."""
        tasks = tuple(range(self.first_task, self.stream.n_tasks + 1))
        x = OrdinalScale(tasks, self.frame.x, tuple(map(str, tasks)))
        parts = [axes(self.frame, x, self.y, self.x_label, self.y_label)]
        for layer in layers:
            for i, curve in enumerate(self.stream.curves):
                shift = SPREAD * ((i + 0.5) / len(self.stream.curves) - 0.5)
                if curve.index in layer.values:
                    parts += _curve(curve, layer.values[curve.index], x, self.y, shift, layer.is_thin)
        return figure(name, (self.frame.width, self.frame.height), title, description, parts)


def by_task_figure(stream: StreamCurves) -> Figure:
    """Draw the measure on each task after the last one, and right after the task was trained."""
    name, found = f"tasks-{stream.index}", finding(stream)
    final = CurveLayer({curve.index: curve.finals() for curve in stream.curves})
    during = {curve.index: curve.during() for curve in stream.curves if curve.matrix.has_during}
    views = [("Final", [final])]
    caption = f"{capitalized(stream.word)} of each task after the last one was trained, with {INTERVAL}."
    if during:
        views = [
            ("Final and during", [CurveLayer(during, is_thin=True), final]),
            *views,
            ("During", [CurveLayer(during)]),
        ]
        caption += " During: right after the task itself was trained; beside the final one, a thin line without marks."
    chart = Chart(
        stream, WIDE, by_task_scale(stream, WIDE), "task, in the order of training", stream.quality.axis_label
    )
    drawings = tuple(
        (view, chart.draw(f"{name}-{i}", found, caption, layers)) for i, (view, layers) in enumerate(views)
    )
    return Figure(name, found, caption, drawings, by_task_table(name, caption, stream), by_task_rows(stream), "tasks")


def by_task_scale(stream: StreamCurves, frame: Frame) -> ContinuousScale:
    """Return the vertical axis of `by_task_figure`."""
    during = [curve.during() for curve in stream.curves if curve.matrix.has_during]
    return _scale(stream, frame, [*(curve.finals() for curve in stream.curves), *during])


def average_scale(stream: StreamCurves, frame: Frame) -> ContinuousScale:
    """Return the vertical axis of `average_figure`."""
    return _scale(stream, frame, [curve.averages for curve in stream.curves])


def over_time_scale(stream: StreamCurves, frame: Frame) -> ContinuousScale:
    """Return the vertical axis of `over_time_figure`."""
    tasks = panel_tasks(stream.n_tasks)
    return _scale(stream, frame, [c.over_time(task) for task in tasks for c in stream.curves if task < c.n_tasks])


def average_figure(stream: StreamCurves) -> Figure:
    """Draw the mean over the tasks learnt so far after each task, as Rebuffi et al. (iCaRL, 2017) do."""
    name = f"averages-{stream.index}"
    averages = {curve.index: curve.averages for curve in stream.curves}
    found = " ".join(
        f"{curve.label}: {mean_text(curve.averages[0])} after task 1, {mean_text(curve.averages[-1])} after the last."
        for curve in stream.curves
    )
    caption = f"Mean over the tasks learnt so far, after each of them: {stream.word}, with {INTERVAL}."
    chart = Chart(stream, WIDE, average_scale(stream, WIDE), "tasks learnt", stream.quality.axis_label)
    drawings = (("Average", chart.draw(name, found, caption, [CurveLayer(averages)])),)
    return Figure(
        name, found, caption, drawings, average_table(name, caption, stream), average_rows(stream), "averages"
    )


def over_time_figure(stream: StreamCurves) -> Figure:
    """Draw a panel for each task: the measure on it after itself and after each later task."""
    name, tasks = f"over-time-{stream.index}", panel_tasks(stream.n_tasks)
    cells = {task: {c.index: c.over_time(task) for c in stream.curves if task < c.n_tasks} for task in tasks}
    y = over_time_scale(stream, PANEL)
    caption = (
        f"{capitalized(stream.word)} of one task after itself and after each later one was trained, with {INTERVAL}."
    )
    if len(tasks) < stream.n_tasks - 1:
        caption += f" {len(tasks)} of {stream.n_tasks} tasks are drawn; matrix.csv has all."
    drawings = []
    for task in tasks:
        chart = Chart(stream, PANEL, y, "after task", f"{stream.quality.word} on task {task}", first_task=task)
        title = f"Task {task}, from its own training to the end of the last: {_ends(stream, cells[task])}."
        drawings.append((f"Task {task}", chart.draw(f"{name}-{task}", title, caption, [CurveLayer(cells[task])])))
    table = over_time_table(name, caption, stream, tasks)
    return Figure(name, _worst_loss(stream), caption, tuple(drawings), table, matrix_rows(stream), "matrix")


def panel_tasks(n_tasks: int) -> list[int]:
    """Return the tasks with a panel of their own: all but the last, or so many of them, evenly spaced."""
    return evenly_spaced(range(1, n_tasks), MAX_PANELS)


def finding(stream: StreamCurves) -> str:
    """State `curve_finding` of each configuration."""
    return " ".join(curve_finding(curve, stream.quality.higher_is_better) for curve in stream.curves)


def curve_finding(curve: TaskCurve, higher_is_better: bool) -> str:
    """State range and worst task of a configuration, and the task that lost most, in a sentence."""
    known = _known_finals(curve)
    if not known:
        return f"{curve.label}: not measured after the last task."
    worst = (min if higher_is_better else max)(known, key=lambda task: known[task])
    low, high = significant(min(known.values())), significant(max(known.values()))
    text = f"{curve.label}: final {low} to {high} over tasks, worst on task {worst}"
    lost = losses(curve, higher_is_better)
    if not lost:
        return f"{text}."
    most = max(lost, key=lambda task: lost[task])
    if lost[most] <= 0:
        return f"{text}; no task got worse after it was trained."
    return f"{text}; task {most} lost most after it was trained, {significant(lost[most], 2)}."


def losses(curve: TaskCurve, higher_is_better: bool) -> dict[int, float]:
    """Return by how much each task but the last got worse after it was trained, where that was measured."""
    sign, finals = 1 if higher_is_better else -1, _known_finals(curve)
    return {
        task: sign * (cell.mean - finals[task])
        for task, cell in enumerate(curve.during()[:-1], start=1)
        if cell.mean is not None and task in finals
    }


def _known_finals(curve: TaskCurve) -> dict[int, float]:
    return {task: cell.mean for task, cell in enumerate(curve.finals(), start=1) if cell.mean is not None}


def _ends(stream: StreamCurves, cells: CurveIntervals) -> str:
    return ", ".join(
        f"{curve.label} {mean_text(cells[curve.index][0])} to {mean_text(cells[curve.index][-1])}"
        for curve in stream.curves
        if curve.index in cells
    )


def _worst_loss(stream: StreamCurves) -> str:
    """Name the configuration and the task that lost most."""
    lost = {
        (curve.label, task): value
        for curve in stream.curves
        for task, value in losses(curve, stream.quality.higher_is_better).items()
    }
    if not lost or max(lost.values()) <= 0:
        return "No task got worse after it was trained."
    label, task = max(lost, key=lambda key: lost[key])
    return f"Most is lost by {label} on task {task}: {significant(lost[label, task], 2)}."


def _scale(stream: StreamCurves, frame: Frame, curves: Iterable[Sequence[Interval]]) -> ContinuousScale:
    cells = [cell for of_curve in curves for cell in of_curve]
    ends = interval_ends(cells) if stream.quality.higher_is_better else ()
    return quality_scale(stream.quality, [cell.mean for cell in cells if cell.mean is not None], frame.y, ends)


def _curve(
    curve: TaskCurve, cells: Sequence[Interval], x: OrdinalScale, y: ContinuousScale, shift: float, is_thin: bool
) -> list[Markup]:
    """Draw one curve: of few tasks a mark and a bar each, side by side with others; of many a band and some marks."""
    is_few = curve.n_tasks <= MAX_BARS
    moved = shift * x.slot if is_few and not is_thin else 0.0
    placed = [
        point
        for task, cell in zip(x.values, cells, strict=False)
        if (point := place(None, x(task) + moved, y, cell, f"{curve.label}, {task}: {_text(cell)}")) is not None
    ]
    through = line([(point.x, point.y) for point in placed], f"{'thin ' if is_thin else ''}{curve.style}-line")
    if is_thin:
        return [through]
    around = bars(placed, f"{curve.style} member") if is_few else band(placed, curve.style)
    every = 1 if is_few else -(-len(x.values) // MARKS_ON_BAND)
    return [around, through, glyphs(placed[curve.index % every :: every], curve.index, curve.style)]


def _text(cell: Interval) -> str:
    interval = "" if cell.low is None else f" {range_text(cell)}"
    return f"{mean_text(cell)}{interval}, n = {cell.n}"
