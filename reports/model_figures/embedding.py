"""The measure on one task as the two numbers of its embedding vary: von Oswald et al. (2020), Fig. 4."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from markupsafe import Markup

from reports.drawing.axes import Frame, axes
from reports.drawing.heatmap import HeatScale, heat_cells
from reports.drawing.scales import LinearScale
from reports.drawing.svg import element, figure
from reports.figures.figure import Figure
from reports.formatting import significant
from reports.table import Row, Table, integer_column, number_column

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FRAME = Frame(width=470, height=480, left=50, right=16, top=34, bottom=50)
WITHIN = 0.01


@dataclass(frozen=True)
class EmbeddingSurface:
    """One task over the plane of embeddings.

    Attributes:
        task: from 1.
        first, second: the axes of the grid, each (n,), evenly spaced.
        on_grid: [i, j] at (first[j], second[i]), (n, n).
        embeddings: trained ones of all tasks, (n_tasks, 2).
        at_trained: the measure on this task at each of them, (n_tasks,).
        n_examples: test examples behind each number.
        higher_is_better: accuracy, or else mean squared error.
    """

    task: int
    first: NDArray[np.float64]
    second: NDArray[np.float64]
    on_grid: NDArray[np.float64]
    embeddings: NDArray[np.float64]
    at_trained: NDArray[np.float64]
    n_examples: int
    higher_is_better: bool

    @property
    def own(self) -> float:
        """The measure at the embedding trained for the task."""
        return float(self.at_trained[self.task - 1])

    @property
    def solved(self) -> float:
        """Share of the grid that is no more than a point worse than the task's own embedding."""
        return float(self._close(self.on_grid).mean())

    @cached_property
    def shared_with(self) -> list[int]:
        """Other tasks whose embeddings solve this one as well."""
        close = self._close(self.at_trained)
        return [j + 1 for j in range(len(close)) if close[j] and j + 1 != self.task]

    def _close(self, values: NDArray[np.float64]) -> NDArray[np.bool_]:
        slack = WITHIN + 1e-9
        return values >= self.own - slack if self.higher_is_better else values <= self.own * 1.1


def heat_scale_of(surfaces: Sequence[EmbeddingSurface]) -> HeatScale:
    """Return one scale for all tasks, so that their maps can be compared."""
    values = [*(s.on_grid for s in surfaces), *(s.at_trained for s in surfaces)]
    return HeatScale(
        min(float(each.min()) for each in values),
        max(float(each.max()) for each in values),
        surfaces[0].higher_is_better,
    )


def embedding_figure(surface: EmbeddingSurface, heat: HeatScale, word: str) -> Figure:
    """Draw the map of one task.

    Args:
        word: what is measured, accuracy or mean squared error.
    """
    found = finding(surface, word)
    caption = (
        f"Test {word} on task {surface.task} of the weights generated from each point of the plane, "
        f"{surface.n_examples:,} examples each. Numbers mark the trained embeddings of all tasks, the filled one that "
        f"of this task."
    )
    drawing = figure(
        f"embedding-{surface.task}", (FRAME.width, FRAME.height), found, caption, _parts(surface, heat), class_="map"
    )
    name = f"embedding-{surface.task}"
    return Figure(name, found, caption, ((f"Task {surface.task}", drawing),), _table(surface, word), grid_rows(surface))


def finding(surface: EmbeddingSurface, word: str) -> str:
    """State what the map shows in a sentence."""
    near = "within one point of it" if surface.higher_is_better else "within 10 % of it"
    text = (
        f"Task {surface.task}: {word} {significant(surface.own, 4)} at its own embedding, and {near} in "
        f"{100 * surface.solved:.0f} % of the area"
    )
    if not surface.shared_with:
        return f"{text}, no other task's embedding included."
    several, named = len(surface.shared_with) > 1, ", ".join(str(task) for task in surface.shared_with)
    return f"{text}, the embedding{'s of tasks' if several else ' of task'} {named} included."


def grid_rows(surface: EmbeddingSurface) -> list[Row]:
    """List every point of the grid."""
    return [
        {"task": surface.task, "first": float(x), "second": float(y), "value": float(surface.on_grid[i, j])}
        for i, y in enumerate(surface.second)
        for j, x in enumerate(surface.first)
    ]


def trained_rows(surface: EmbeddingSurface) -> list[Row]:
    """List this task at the trained embedding of every task."""
    return [
        {"task": surface.task, "embedding_of": j + 1, "first": float(x), "second": float(y), "value": float(value)}
        for j, ((x, y), value) in enumerate(zip(surface.embeddings, surface.at_trained, strict=True))
    ]


def _parts(surface: EmbeddingSurface, heat: HeatScale) -> list[Markup]:
    step = float(surface.first[1] - surface.first[0])  # a cell reaches half a step around its point
    domains = [(float(axis[0]) - step / 2, float(axis[-1]) + step / 2) for axis in (surface.first, surface.second)]
    x, y = LinearScale(domains[0], FRAME.x), LinearScale(domains[1], FRAME.y)
    size = (FRAME.x[1] - FRAME.x[0]) / len(surface.first), (FRAME.y[0] - FRAME.y[1]) / len(surface.second)
    return [
        axes(FRAME, x, y, "first number of the embedding", "second number"),
        heat_cells(surface.on_grid[::-1], heat, (FRAME.x[0], FRAME.y[1]), size),
        *(_mark(j + 1, x(float(a)), y(float(b)), surface) for j, (a, b) in _own_last(surface)),
    ]


def _own_last(surface: EmbeddingSurface) -> list[tuple[int, NDArray[np.float64]]]:
    """List the trained embeddings, that of the task last so that it is drawn on top."""
    return sorted(enumerate(surface.embeddings), key=lambda pair: pair[0] + 1 == surface.task)


def _mark(task: int, x: float, y: float, surface: EmbeddingSurface) -> Markup:
    value = significant(float(surface.at_trained[task - 1]), 4)
    title = f"embedding of task {task}: {value} on task {surface.task}"
    return element(
        "g",
        element("title", title),
        element("circle", cx=x, cy=y, r=11.0 if task == surface.task else 9.0),
        element("text", str(task), x=x, y=y + 4, text_anchor="middle"),
        class_="embedding own" if task == surface.task else "embedding",
    )


def _table(surface: EmbeddingSurface, word: str) -> Table:
    columns = [
        integer_column("embedding_of", "embedding of task"),
        number_column("first", "first number"),
        number_column("second", "second number"),
        number_column("value", f"{word} on task {surface.task}", digits=4),
    ]
    caption = f"Task {surface.task} at the trained embeddings; the whole grid is in the CSV."
    own = frozenset({surface.task})
    return Table(
        f"embedding-{surface.task}", caption, columns, trained_rows(surface), own, key="embedding_of", mark="its own"
    )
