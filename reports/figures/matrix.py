"""A matrix of one configuration, tasks by tasks: shaded numbers where they fit, else a heat map."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from markupsafe import Markup

from reports.data.task_matrices import TaskMatrix
from reports.drawing.heatmap import HeatScale, heat_cells
from reports.drawing.svg import element, figure

MAX_TASKS_WITH_NUMBERS = 12
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
class MatrixView:
    """A matrix on the page.

    Attributes:
        rows: the matrix as text; empty where there are too many tasks for numbers.
        drawing: the heat map used instead of the numbers, None where there are few tasks.
    """

    rows: list[HeatRow]
    drawing: Markup | None
    caption: str
    scale: HeatScale

    @property
    def characters(self) -> int:
        """Characters of it in the page, estimated."""
        return len(self.drawing or "") + 32 * sum(len(row.cells) for row in self.rows)


def shared_scale(matrices: Sequence[TaskMatrix], higher_is_better: bool) -> HeatScale:
    """Return a color scale from the lowest to the highest mean after any training; the untrained model may be below."""
    import numpy as np

    cells = np.concatenate([matrix.mean[1:].ravel() for matrix in matrices])
    return HeatScale(float(np.nanmin(cells)), float(np.nanmax(cells)), higher_is_better)


def matrix_view(matrix: TaskMatrix, scale: HeatScale, caption: str, titles: tuple[str, str, str]) -> MatrixView:
    """Show the means of a matrix.

    Args:
        titles: name, finding and description of the heat map that stands for the numbers of many tasks.
    """
    if matrix.n_tasks <= MAX_TASKS_WITH_NUMBERS:
        return MatrixView(_rows(matrix, scale), None, caption, scale)
    return MatrixView([], _heat_map(matrix, scale, titles), caption, scale)


def seeds_text(matrix: TaskMatrix) -> str:
    """Return how many seeds are behind each cell, such as "n = 3 per cell"."""
    seeds = sorted({int(n) for n in matrix.n.ravel() if n})
    return f"n = {seeds[0] if seeds else 0}{f' to {seeds[-1]}' if len(seeds) > 1 else ''} per cell"


def _rows(matrix: TaskMatrix, scale: HeatScale) -> list[HeatRow]:
    labels = ["untrained", *(f"after task {task}" for task in range(1, matrix.n_tasks + 1))]
    rows = zip(labels, matrix.mean.tolist(), strict=True)
    measured = [(label, means) for label, means in rows if not all(map(math.isnan, means))]
    return [HeatRow(label, [_cell(mean, scale) for mean in means]) for label, means in measured]


def _cell(mean: float, scale: HeatScale) -> HeatCell:
    return HeatCell("", None) if math.isnan(mean) else HeatCell(f"{mean:.3f}", scale.level(mean))


def _heat_map(matrix: TaskMatrix, scale: HeatScale, titles: tuple[str, str, str]) -> Markup:
    """Draw the matrix without numbers: one path per level, neighbours of a level joined."""
    side = HEAT_SIZE / matrix.n_tasks
    cells = heat_cells(matrix.mean, scale, (HEAT_LEFT, 0.0), (side, side))
    height = side * (matrix.n_tasks + 1)
    left, right, below = HEAT_LEFT - 6, HEAT_LEFT + HEAT_SIZE, height + 16
    texts = [
        element("text", "untrained", x=left, y=side / 2 + 4, text_anchor="end", class_="note"),
        element("text", f"after {matrix.n_tasks}", x=left, y=height - side / 2 + 4, text_anchor="end", class_="note"),
        element("text", "task 1", x=HEAT_LEFT, y=below, class_="note"),
        element("text", f"task {matrix.n_tasks}", x=right, y=below, text_anchor="end", class_="note"),
    ]
    name, finding, description = titles
    return figure(name, (right, height + 22), finding, description, [cells, *texts])
