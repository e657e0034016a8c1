"""Figures for papers of several configurations task by task."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from reports.data.task_curves import StreamCurves, TaskCurve
from reports.drawing.publication import FAMILY_COLOURS, FAMILY_LINES, FAMILY_MARKERS, publication_files, set_value_axis
from reports.drawing.scales import ContinuousScale
from reports.figures.task_curves import (
    MARKS_ON_BAND,
    MAX_BARS,
    PANEL,
    WIDE,
    average_scale,
    by_task_scale,
    over_time_scale,
    panel_tasks,
)
from reports.formatting import told_apart
from studies.statistics.interval import Interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS = 3  # of the panels over time
MAX_LABEL = 32


def task_curve_figures(stream: StreamCurves, with_number: bool = False) -> dict[str, bytes]:
    """Draw the measure by task, its average over the tasks learnt, and each task over time; return files by name.

    Args:
        with_number: put the number of the stream into the names of the files.
    """
    suffix = f"-{stream.index + 1}" if with_number else ""
    files = publication_files(f"tasks{suffix}", lambda figure: _by_task(figure.add_subplot(), stream), aspect=0.62)
    if stream.n_tasks > 1 and any(average.mean is not None for curve in stream.curves for average in curve.averages):
        files |= publication_files(
            f"averages{suffix}", lambda figure: _averages(figure.add_subplot(), stream), aspect=0.62
        )
    tasks = panel_tasks(stream.n_tasks)
    if tasks and stream.has_during:
        rows = math.ceil(len(tasks) / COLUMNS)
        files |= publication_files(
            f"over-time{suffix}", lambda figure: _over_time(figure, stream, tasks), aspect=0.12 + 0.28 * rows
        )
    return files


def _by_task(axes: Axes, stream: StreamCurves) -> None:
    for i, curve in enumerate(stream.curves):
        if curve.matrix.has_during:
            during = [(task, cell.mean) for task, cell in enumerate(curve.during(), start=1) if cell.mean is not None]
            axes.plot(*zip(*during, strict=True), color=FAMILY_COLOURS[curve.index], lw=0.5, alpha=0.75,
                      ls=FAMILY_LINES[curve.index])  # fmt: skip
        _draw(axes, stream, curve, curve.finals(), i)
    _finish(axes, stream, "task, in the order of training", by_task_scale(stream, WIDE))
    axes.legend(loc="best")


def _averages(axes: Axes, stream: StreamCurves) -> None:
    for i, curve in enumerate(stream.curves):
        _draw(axes, stream, curve, curve.averages, i)
    _finish(axes, stream, "tasks learnt", average_scale(stream, WIDE))
    axes.legend(loc="best")


def _over_time(figure: Figure, stream: StreamCurves, tasks: Sequence[int]) -> None:
    rows = math.ceil(len(tasks) / COLUMNS)
    y = over_time_scale(stream, PANEL)
    grid = figure.subplots(rows, COLUMNS, squeeze=False, sharey=True)
    for place, axes in enumerate(grid.flat):
        if place >= len(tasks):
            axes.set_axis_off()
            continue
        task = tasks[place]
        for i, curve in enumerate(stream.curves):
            if task < curve.n_tasks:
                _draw(axes, stream, curve, curve.over_time(task), i, first=task)
        axes.set_title(f"task {task}")
        _finish(axes, stream, "after task" if place >= len(tasks) - COLUMNS else "", y)
        if place % COLUMNS:
            axes.set_ylabel("")
    handles, labels = grid[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=min(len(labels), COLUMNS))


def _draw(
    axes: Axes, stream: StreamCurves, curve: TaskCurve, cells: Sequence[Interval], place: int, first: int = 1
) -> None:
    """Draw one curve as on the page: with bars for few tasks, in a band for many."""
    known = [(task, cell) for task, cell in enumerate(cells, start=first) if cell.mean is not None]
    means = [cell.mean or 0.0 for _, cell in known]
    low = [mean if cell.low is None else cell.low for mean, (_, cell) in zip(means, known, strict=True)]
    high = [mean if cell.high is None else cell.high for mean, (_, cell) in zip(means, known, strict=True)]
    labels = told_apart([one.label for one in stream.curves], MAX_LABEL)
    look = {
        "color": FAMILY_COLOURS[curve.index], "ls": FAMILY_LINES[curve.index], "marker": FAMILY_MARKERS[curve.index],
        "ms": 2.8, "label": labels[curve.label],
    }  # fmt: skip
    if stream.n_tasks <= MAX_BARS:
        shift = 0.3 * ((place + 0.5) / len(stream.curves) - 0.5)
        bars = [[m - a for m, a in zip(means, low, strict=True)], [b - m for m, b in zip(means, high, strict=True)]]
        axes.errorbar([task + shift for task, _ in known], means, bars, elinewidth=0.6, **look)
        return
    tasks = [task for task, _ in known]
    axes.plot(tasks, means, markevery=(curve.index, math.ceil(stream.n_tasks / MARKS_ON_BAND)), **look)
    axes.fill_between(tasks, low, high, color=FAMILY_COLOURS[curve.index], alpha=0.18, linewidth=0)


def _finish(axes: Axes, stream: StreamCurves, x_label: str, y: ContinuousScale) -> None:
    """Set the axes of the page, with whole numbers of tasks."""
    from matplotlib.ticker import MaxNLocator

    set_value_axis(axes, y)
    axes.set_xlabel(x_label)
    axes.set_ylabel(stream.quality.word)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
