"""Filters of the layers of a trained model, a grid for each task: Hemati et al. (2023), Fig. 6."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from reports.drawing.png import pixel_image, png_bytes
from reports.drawing.publication import publication_files
from reports.drawing.svg import element, figure
from reports.figures.figure import Figure
from reports.formatting import numbered, significant
from reports.table import Row, Table, count_column, number_column, text_column

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure as Drawing
    from numpy.typing import NDArray

COLUMNS = 16
LABEL_HEIGHT, ROW_GAP, WIDTH = 22.0, 10.0, 960.0  # narrow screens scroll a drawing of this width
MAX_SCALE = 14.0  # pixels of the page for a weight
PNG_SCALE = 8
RGB = 3


@dataclass(frozen=True)
class TaskFilters:
    """Filters of one layer that some tasks share.

    Attributes:
        tasks: from 1.
        weights: (n_filters, n_channels, height, width).
        cosine: with the filters of the first entry of the layer, mean over filters.
    """

    tasks: tuple[int, ...]
    weights: NDArray[np.float64]
    cosine: float


@dataclass(frozen=True)
class Layer:
    """One layer with its filters for each task; `block` is its block of the target network, None after the last."""

    number: int
    block: int | None
    n_tasks: int
    entries: Sequence[TaskFilters]

    @property
    def title(self) -> str:
        return f"Layer {self.number}" + ("" if self.block is None else f", block {self.block}")

    def label(self, entry: TaskFilters) -> str:
        """Name the tasks of an entry."""
        return "all tasks" if len(entry.tasks) == self.n_tasks > 1 else numbered("task", entry.tasks)

    @property
    def finding(self) -> str:
        """State in a sentence whether the tasks share the filters, and how alike they are."""
        n, channels, height, width = self.entries[0].weights.shape
        text = f"{self.title}: {n} filters of {height} x {width} on {channels} channel{'' if channels == 1 else 's'}"
        if len(self.entries) == 1:
            return f"{text}, the same for {self.label(self.entries[0])}."
        others = ", ".join(f"{self.label(entry)} {significant(entry.cosine, 4)}" for entry in self.entries[1:])
        return f"{text}; cosine with those of {self.label(self.entries[0])}: {others}."


def filter_figure(layer: Layer, at_most: int) -> Figure:
    """Draw the filters of a layer, a grid for each distinct entry.

    Args:
        at_most: kernels in a grid.
    """
    name = f"filters-{layer.number}"
    grids = layer_grids(layer, at_most)
    height, width = grids[0].shape[:2]
    scale = min(MAX_SCALE, WIDTH / width)
    step = LABEL_HEIGHT + height * scale + ROW_GAP
    parts: list[Markup] = []
    for i, (entry, pixels) in enumerate(zip(layer.entries, grids, strict=True)):
        parts.append(element("text", layer.label(entry), x=0.0, y=i * step + LABEL_HEIGHT - 7, class_="tick"))
        parts.append(pixel_image(pixels, (0.0, i * step + LABEL_HEIGHT), (width * scale, height * scale)))
    drawing = figure(name, (WIDTH, step * len(grids)), layer.finding, caption(layer, at_most), parts)
    rows = statistics(layer)
    return Figure(
        name, layer.finding, caption(layer, at_most), ((layer.title, drawing),), _table(name, rows), rows, "layers"
    )


def caption(layer: Layer, at_most: int) -> str:
    """Explain the grid."""
    n_filters, n_channels = layer.entries[0].weights.shape[:2]
    filters, channels = shown(layer, at_most)
    text = "Grey is zero, white the largest weight of the layer in size, black its negative; all tasks share the scale."
    if n_channels == RGB:
        text += " Red, green and blue are the three channels."
    elif n_channels > 1:
        text += " A row is a filter, a column an input channel."
    if filters < n_filters or channels < n_channels:
        text += f" The first {filters} of {n_filters} filters"
        text += f" and {channels} of {n_channels} channels are drawn." if channels < n_channels else " are drawn."
    return text


def shown(layer: Layer, at_most: int) -> tuple[int, int]:
    """Return how many filters and how many of their channels are drawn."""
    n_filters, n_channels = layer.entries[0].weights.shape[:2]
    if n_channels in (1, RGB):
        return min(n_filters, at_most), n_channels
    channels = min(n_channels, COLUMNS, at_most)
    return min(n_filters, max(1, at_most // channels)), channels


def layer_grids(layer: Layer, at_most: int) -> list[NDArray[np.uint8]]:
    """Return the grid of each entry as pixels, (height, width, 4): red, green, blue, and 0 where there is nothing."""
    import numpy as np

    filters, channels = shown(layer, at_most)
    weights = [entry.weights[:filters, :channels] for entry in layer.entries]
    largest = max(float(np.abs(each).max()) for each in weights) or 1.0
    return [_grid(each / largest) for each in weights]


def statistics(layer: Layer) -> list[Row]:
    """List size, spread and cosine of the filters of each entry."""
    return [
        {
            "layer": layer.number,
            "block": layer.block,
            "tasks": layer.label(entry),
            "filters": entry.weights.shape[0],
            "channels": entry.weights.shape[1],
            "height": entry.weights.shape[2],
            "width": entry.weights.shape[3],
            "mean_size": float(abs(entry.weights).mean()),
            "deviation": float(entry.weights.std()),
            "cosine": entry.cosine,
        }
        for entry in layer.entries
    ]


def filter_rows(layer: Layer, at_most: int) -> list[Row]:
    """List the weights of every kernel drawn, row by row."""
    filters, channels = shown(layer, at_most)
    return [
        {
            "layer": layer.number,
            "tasks": layer.label(entry),
            "filter": i + 1,
            "channel": j + 1,
            "weights": [float(str(weight)) for weight in entry.weights[i, j].astype("float32").ravel()],
        }
        for entry in layer.entries
        for i in range(filters)
        for j in range(channels)
    ]


def layer_png(layer: Layer, at_most: int) -> bytes:
    """Return the grids below each other as a PNG, each weight PNG_SCALE pixels wide."""
    import numpy as np

    grids = layer_grids(layer, at_most)
    gap = np.zeros((2, *grids[0].shape[1:]), dtype=np.uint8)
    whole = np.concatenate([part for grid in grids for part in (grid, gap)][:-1])
    return png_bytes(whole.repeat(PNG_SCALE, axis=0).repeat(PNG_SCALE, axis=1))


def layer_files(layer: Layer, at_most: int) -> dict[str, bytes]:
    """Draw the grids for papers; return files by name."""
    grids = layer_grids(layer, at_most)
    height, width = grids[0].shape[:2]
    aspect = len(grids) * (height / width + 0.07)

    def draw(drawing: Drawing) -> None:
        for axes, entry, grid in zip(
            drawing.subplots(len(grids), squeeze=False)[:, 0], layer.entries, grids, strict=True
        ):
            axes.imshow(grid, interpolation="nearest")
            axes.set_axis_off()
            axes.set_title(layer.label(entry), loc="left")

    return publication_files(f"filters-{layer.number}", draw, aspect)


def _grid(weights: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Put kernels within [-1, 1] side by side with a gap of a pixel."""
    import numpy as np

    n, channels, height, width = weights.shape
    if channels in (1, RGB):  # one image for each filter, COLUMNS of them in a row
        images = np.broadcast_to(weights.transpose(0, 2, 3, 1), (n, height, width, RGB))
        columns = min(n, COLUMNS)
    else:
        flat = weights.reshape(n * channels, height, width, 1)
        images, columns = np.broadcast_to(flat, (*flat.shape[:3], RGB)), channels
    rows = -(-len(images) // columns)
    grid = np.zeros((rows * (height + 1) - 1, columns * (width + 1) - 1, 4), dtype=np.uint8)
    for i, image in enumerate(images):
        top, left = i // columns * (height + 1), i % columns * (width + 1)
        grid[top : top + height, left : left + width, :RGB] = np.rint(127.5 * (1 + image))
        grid[top : top + height, left : left + width, RGB] = 255
    return grid


def _table(name: str, rows: Sequence[Row]) -> Table:
    columns = [
        text_column("tasks", "tasks"),
        count_column("filters", "filters"),
        count_column("channels", "channels"),
        number_column("mean_size", "mean size", "mean of the absolute weights"),
        number_column("deviation", "STD", "standard deviation of the weights"),
        number_column("cosine", "cosine", "with the first row, mean over filters", digits=4),
    ]
    return Table(name, "All filters of the layer; the weights of those drawn are in filters.csv.", columns, rows)
