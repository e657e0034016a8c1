"""A color scale of five steps for costs: by equal factors, or by equal differences where a cost can be negative."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence

from reports.formatting import cost_number
from studies.metrics.cost_axes import CostAxis

N_COLORS = 5


def color_edges(x: CostAxis, costs: Sequence[float]) -> list[float]:
    """Return the upper cost of each color, equally spaced; a single one where all positive costs are equal.

    On a logarithmic axis a cost of 0 has the color of the smallest.
    """
    if not x.is_log:
        low, high = min(costs), max(costs)
        return [max(costs)] if high - low < 1e-9 else [low + (high - low) * (i + 1) / N_COLORS for i in range(N_COLORS)]
    positive = [cost for cost in costs if cost > 0] or [1.0]
    low, high = math.log(min(positive)), math.log(max(positive))
    if high - low < 1e-9:
        return [max(costs)]
    return [math.exp(low + (high - low) * (i + 1) / N_COLORS) for i in range(N_COLORS)]


def color_of(cost: float, edges: Sequence[float]) -> int:
    """Return the color of a cost, 0 for the smallest."""
    return min(bisect_left(edges, cost), len(edges) - 1)


def color_legend(x: CostAxis, costs: Sequence[float]) -> list[str]:
    """Return the range of costs of each color in their unit, smallest first."""
    edges = color_edges(x, costs)
    if len(edges) == 1:
        return [_text(x, edges[0])]
    starts = [min(costs), *edges[:-1]]
    return [f"{_text(x, start)}–{_text(x, end)}" for start, end in zip(starts, edges, strict=True)]


def _text(x: CostAxis, cost: float) -> str:
    return cost_number(x, cost, 2)
