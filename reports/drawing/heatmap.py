"""Heat maps: values as ten levels of one hue, the darkest (in the light theme) for the best."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from reports.drawing.svg import EMPTY, element, pixel

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

HEAT_LEVELS = 10


@dataclass(frozen=True)
class HeatScale:
    """Ten levels between the lowest and the highest cell shown, the darkest for the best."""

    low: float
    high: float
    higher_is_better: bool

    def level(self, value: float) -> int:
        share = (value - self.low) / (self.high - self.low) if self.high > self.low else 1.0
        share = share if self.higher_is_better else 1.0 - share
        return min(HEAT_LEVELS - 1, max(0, math.floor(share * HEAT_LEVELS)))


def heat_cells(
    values: NDArray[np.float64], scale: HeatScale, corner: tuple[float, float], size: tuple[float, float]
) -> Markup:
    """Draw a rectangle per value: one path per level, neighbours of a level joined.

    Args:
        values: (n_rows, n_columns), first row on top, NaN is left out.
        corner: (x, y) of the top left in pixels.
        size: (width, height) of a cell.
    """
    (x, y), (width, height) = corner, size
    paths: dict[int, str] = {}
    for row, cells in enumerate(values):
        levels = [None if math.isnan(value) else scale.level(value) for value in cells]
        for start, length, level in _runs(levels):
            place = f"M{pixel(x + start * width)} {pixel(y + row * height)}"
            drawn = f"{place}h{pixel(length * width)}v{pixel(height)}h-{pixel(length * width)}z"
            paths[level] = paths.get(level, "") + drawn
    return EMPTY.join(element("path", d=path, class_=f"heat-{level}") for level, path in sorted(paths.items()))


def _runs(levels: Sequence[int | None]) -> list[tuple[int, int, int]]:
    """Return runs of equal levels as (start, length, level); None is a gap."""
    runs: list[tuple[int, int, int]] = []
    for i, level in enumerate(levels):
        if level is None:
            continue
        if runs and runs[-1][2] == level and runs[-1][0] + runs[-1][1] == i:
            runs[-1] = (runs[-1][0], runs[-1][1] + 1, level)
        else:
            runs.append((i, 1, level))
    return runs
