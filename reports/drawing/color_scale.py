"""A color scale of five steps for compression ratios, by equal factors."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence

from reports.formatting import significant

N_COLORS = 5


def color_edges(ratios: Sequence[float]) -> list[float]:
    """Return the upper ratio of each color, equally spaced on the log axis; a single one where all ratios are equal."""
    low, high = math.log(min(ratios)), math.log(max(ratios))
    if high - low < 1e-9:
        return [max(ratios)]
    return [math.exp(low + (high - low) * (i + 1) / N_COLORS) for i in range(N_COLORS)]


def color_of(ratio: float, edges: Sequence[float]) -> int:
    """Return the color of a ratio, 0 for the smallest."""
    return min(bisect_left(edges, ratio), len(edges) - 1)


def color_legend(ratios: Sequence[float]) -> list[str]:
    """Return the range of ratios of each color, smallest first."""
    edges = color_edges(ratios)
    if len(edges) == 1:
        return [significant(edges[0], 2)]
    starts = [min(ratios), *edges[:-1]]
    return [f"{significant(start, 2)}–{significant(end, 2)}" for start, end in zip(starts, edges, strict=True)]
