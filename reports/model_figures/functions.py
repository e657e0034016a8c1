"""The functions that a model has learnt in one dimension, beside their targets: von Oswald et al. (2020), Fig. 2."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from reports.drawing.axes import Frame, axes
from reports.drawing.marks import GLYPHS, Point, dot, glyphs, line
from reports.drawing.publication import FAMILY_COLOURS, FAMILY_MARKERS, GREY, publication_files
from reports.drawing.scales import LinearScale, padded
from reports.drawing.svg import element, figure
from reports.figures.figure import Figure
from reports.formatting import significant
from reports.table import Row, Table, integer_column, number_column, text_column

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure as Drawing
    from numpy.typing import NDArray

FRAME = Frame(width=470, height=360, left=50, right=12, top=34, bottom=46)
MARKS = 14  # on each learnt function
TABLE_ROWS = 11  # of each function in the table
REACH = 0.6  # of the range of the targets: how far the axis follows a function above and below them


@dataclass(frozen=True)
class TaskFunction:
    """Target and learnt function of one task of a model.

    Attributes:
        task: from 1.
        inputs: ascending, (n,).
        targets, outputs: wanted and predicted, (n,).
        train_inputs, train_targets: the points it was trained on, (n_train,).
    """

    task: int
    inputs: NDArray[np.float64]
    targets: NDArray[np.float64]
    outputs: NDArray[np.float64]
    train_inputs: NDArray[np.float64]
    train_targets: NDArray[np.float64]

    @property
    def mse(self) -> float:
        return float(((self.outputs - self.targets) ** 2).mean())

    @property
    def style(self) -> str:
        return f"family-{(self.task - 1) % len(GLYPHS)}"


@dataclass(frozen=True)
class ModelFunctions:
    """All functions of one model; `label` names it in the report."""

    index: int
    label: str
    tasks: Sequence[TaskFunction]

    @property
    def finding(self) -> str:
        """State the error of each task in a sentence."""
        errors = ", ".join(f"task {one.task} {significant(one.mse)}" for one in self.tasks)
        return f"{self.label}: mean squared error after the last task, {errors}."


def function_figure(model: ModelFunctions, ranges: tuple[LinearScale, LinearScale]) -> Figure:
    """Draw targets, training points and learnt functions of one model.

    Args:
        ranges: x and y axis, from `axes_of`, which all models of a report share.
    """
    x, y = ranges
    name = f"functions-{model.index}"
    caption = (
        "Dashed: the targets. Lines with marks: the functions after the last task, each on the interval of its task. "
        "Small dots: the points that were trained on."
    )
    if any(_is_cut(each.outputs, y) for each in model.tasks):
        caption += " A line at the edge of the drawing goes on beyond it."
    parts = [axes(FRAME, x, y, "input", "output"), *(part for one in model.tasks for part in _function(one, x, y))]
    drawing = figure(name, (FRAME.width, FRAME.height), model.finding, caption, parts)
    rows = function_rows(model)
    return Figure(name, model.finding, caption, ((model.label, drawing),), _table(name, model), rows, "functions")


def axes_of(models: Sequence[ModelFunctions]) -> tuple[LinearScale, LinearScale]:
    """Return axes over all inputs, and over the targets and as much of the functions as is near them."""
    tasks = [one for model in models for one in model.tasks]
    low, high = min(float(one.targets.min()) for one in tasks), max(float(one.targets.max()) for one in tasks)
    reach = REACH * (high - low)
    least = max(low - reach, min(float(one.outputs.min()) for one in tasks))
    most = min(high + reach, max(float(one.outputs.max()) for one in tasks))
    inputs = min(float(one.inputs.min()) for one in tasks), max(float(one.inputs.max()) for one in tasks)
    return (
        LinearScale(padded(*inputs, share=0.03), FRAME.x),
        LinearScale(padded(min(low, least), max(high, most)), FRAME.y),
    )


def function_rows(model: ModelFunctions) -> list[Row]:
    """List target and output at every input."""
    return [
        {"model": model.label, "task": one.task, "input": float(x), "target": float(wanted), "output": float(found)}
        for one in model.tasks
        for x, wanted, found in zip(one.inputs, one.targets, one.outputs, strict=True)
    ]


def error_rows(model: ModelFunctions) -> list[Row]:
    """List interval and error of every task."""
    return [
        {
            "model": model.label, "task": one.task, "from": float(one.inputs[0]), "to": float(one.inputs[-1]),
            "final_mse": one.mse, "largest_error": float(abs(one.outputs - one.targets).max()),
        }
        for one in model.tasks
    ]  # fmt: skip


def error_table(models: Sequence[ModelFunctions]) -> Table:
    """Make the table of `error_rows`."""
    columns = [
        text_column("model", "model"),
        integer_column("task", "task"),
        number_column("from", "from input"),
        number_column("to", "to"),
        number_column("final_mse", "mean squared error"),
        number_column("largest_error", "largest error"),
    ]
    rows = [row for model in models for row in error_rows(model)]
    return Table("errors", "Errors of the functions after the last task, on the test split.", columns, rows)


def function_files(models: Sequence[ModelFunctions]) -> dict[str, bytes]:
    """Draw the functions for papers, a panel for each model; return files by name."""
    return publication_files("functions", lambda drawing: _publish(drawing, models), aspect=0.85 / len(models) + 0.1)


def _function(one: TaskFunction, x: LinearScale, y: LinearScale) -> list[Markup]:
    low, high = y.domain
    outputs = y.each(one.outputs.clip(low, high)).tolist()
    inputs = x.each(one.inputs).tolist()
    every = max(1, len(inputs) // MARKS)
    placed = list(zip(inputs, outputs, one.inputs, one.outputs, strict=True))[every // 2 :: every]
    marks = [
        Point(at, height, None, None, None, f"task {one.task}, input {significant(given)}: {significant(found)}")
        for at, height, given, found in placed
        if low <= found <= high  # none where the line is cut off
    ]
    trained = "".join(map(dot, x.each(one.train_inputs).tolist(), y.each(one.train_targets.clip(low, high)).tolist()))
    return [
        element("g", element("path", d=trained), class_=f"points {one.style} run"),
        line(list(zip(inputs, y.each(one.targets).tolist(), strict=True)), "target-line"),
        line(list(zip(inputs, outputs, strict=True)), f"{one.style}-line whole"),
        glyphs(marks, (one.task - 1) % len(GLYPHS), one.style),
    ]


def _is_cut(outputs: NDArray[np.float64], y: LinearScale) -> bool:
    return bool((outputs < y.domain[0]).any() or (outputs > y.domain[1]).any())


def _table(name: str, model: ModelFunctions) -> Table:
    columns = [
        integer_column("task", "task"),
        number_column("input", "input"),
        number_column("target", "target"),
        number_column("output", "output"),
    ]
    rows = []
    for one in model.tasks:
        of_task = [row for row in function_rows(model) if row["task"] == one.task]
        rows += of_task[:: max(1, (len(of_task) - 1) // (TABLE_ROWS - 1))]
    return Table(name, f"{model.label}: some points of each function; the CSV has all.", columns, rows)


def _publish(drawing: Drawing, models: Sequence[ModelFunctions]) -> None:
    x, y = axes_of(models)
    grid = drawing.subplots(1, len(models), squeeze=False, sharey=True)[0]
    for model, plane in zip(models, grid, strict=True):
        for one in model.tasks:
            place = (one.task - 1) % len(FAMILY_COLOURS)
            plane.plot(one.inputs, one.targets, color=GREY, ls=(0, (4, 2)), lw=1.0, zorder=3)
            plane.plot(one.inputs, one.outputs, color=FAMILY_COLOURS[place], marker=FAMILY_MARKERS[place], ms=2.5,
                       lw=0.8, markevery=max(1, len(one.inputs) // MARKS), label=f"task {one.task}")  # fmt: skip
            plane.scatter(one.train_inputs, one.train_targets, s=1.5, color=FAMILY_COLOURS[place], alpha=0.35, lw=0)
        plane.set_xlim(*x.domain)
        plane.set_ylim(*y.domain)
        plane.set_xlabel("input")
        if len(models) > 1:
            plane.set_title(model.label)
    grid[0].set_ylabel("output")
    grid[0].legend(loc="best")
