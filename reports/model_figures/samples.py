"""Samples of a generator, a row of images for each task: von Oswald et al. (2020), Fig. A8."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reports.drawing.png import pixel_image, png_bytes
from reports.drawing.svg import element, figure
from reports.figures.figure import Figure
from reports.formatting import significant
from reports.table import Row, Table, integer_column, number_column, text_column

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

GAP = 2  # pixels between images
SCALE = 2  # of the PNG file
LABEL_WIDTH, WIDTH = 64.0, 960.0  # narrow screens scroll a drawing of this width


@dataclass(frozen=True)
class TaskSamples:
    """Samples of one task.

    Attributes:
        task: from 1; None for samples of all tasks together.
        images: (n, height, width) or (n, height, width, channels), within [0, 1].
    """

    task: int | None
    images: NDArray[np.float64]

    @property
    def label(self) -> str:
        return "all tasks" if self.task is None else f"task {self.task}"


def samples_figure(rows: Sequence[TaskSamples], caption: str) -> Figure:
    """Draw the samples, a row for each task."""
    found = finding(rows)
    strips = [strip(row.images) for row in rows]
    height, width = strips[0].shape[:2]
    scale = (WIDTH - LABEL_WIDTH) / width
    step = height * scale + 4
    parts = []
    for i, (row, pixels) in enumerate(zip(rows, strips, strict=True)):
        parts.append(element("text", row.label, x=0.0, y=i * step + height * scale / 2 + 4, class_="tick"))
        parts.append(pixel_image(pixels, (LABEL_WIDTH, i * step), (width * scale, height * scale)))
    drawing = figure("samples", (WIDTH, step * len(rows)), found, caption, parts)
    return Figure("samples", found, caption, (("Samples", drawing),), _table(rows), statistics(rows))


def finding(rows: Sequence[TaskSamples]) -> str:
    """State what the grid holds in a sentence."""
    n, of = len(rows[0].images), "all tasks together" if rows[0].task is None else f"each of {len(rows)} tasks"
    least = min(statistics(rows), key=lambda row: float(row["variation"]))
    return (
        f"{n} samples of {of}; they vary least for {'all' if rows[0].task is None else least['task']}, by "
        f"{significant(float(least['variation']))} a pixel."
    )


def statistics(rows: Sequence[TaskSamples]) -> list[Row]:
    """List number, mean pixel, and variation (standard deviation over samples, mean over pixels) of each task."""
    return [
        {
            "task": row.label,
            "samples": len(row.images),
            "mean_pixel": float(row.images.mean()),
            "variation": float(row.images.std(axis=0).mean()),
        }
        for row in rows
    ]


def strip(images: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Put images side by side as bytes, (height, n * (width + gap) - gap) or with channels; gaps are white."""
    import numpy as np

    pixels = np.rint(255 * images.clip(0, 1)).astype(np.uint8)
    gap = np.full((pixels.shape[1], GAP, *pixels.shape[3:]), 255, dtype=np.uint8)
    parts = [part for image in pixels for part in (image, gap)]
    return np.concatenate(parts[:-1], axis=1)


def grid_png(rows: Sequence[TaskSamples]) -> bytes:
    """Return all rows as one PNG, each pixel of a sample SCALE pixels wide."""
    import numpy as np

    strips = [strip(row.images) for row in rows]
    gap = np.full((GAP, *strips[0].shape[1:]), 255, dtype=np.uint8)
    whole = np.concatenate([part for each in strips for part in (each, gap)][:-1])
    return png_bytes(whole.repeat(SCALE, axis=0).repeat(SCALE, axis=1))


def _table(rows: Sequence[TaskSamples]) -> Table:
    columns = [
        text_column("task", "task"),
        integer_column("samples", "samples"),
        number_column("mean_pixel", "mean pixel"),
        number_column("variation", "variation"),
    ]
    caption = "Pixels are within [0, 1]. Variation: standard deviation over samples, mean over pixels; 0 is one image."
    return Table("samples", caption, columns, statistics(rows))
