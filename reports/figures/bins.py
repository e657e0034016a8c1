"""Quality per bin of costs: mean and STD over configurations, as von Oswald et al. (2020) in Fig. A7."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from markupsafe import Markup

from reports.data.run_series import RunSeries
from reports.drawing.axes import axes
from reports.drawing.marks import Point, bars, line, points
from reports.drawing.scales import ContinuousScale
from reports.drawing.svg import element, figure
from reports.figures.figure import Figure
from reports.figures.quality_axis import quality_scale
from reports.figures.run_plane import RunPlane
from reports.formatting import cost_number, cost_text, plural, significant
from reports.table import Column, Row, Table, integer_column, number_column, text_column
from studies.metrics.cost_axes import COMPRESSION, CostAxis

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NAME = "bins"
MIN_BINS, MAX_BINS = 4, 20
FEW = 5


@dataclass(frozen=True)
class Bin:
    """Configurations whose cost is in (low, high], or is 0 where both ends are; `std` is None for a single one."""

    low: float
    high: float
    n: int
    mean: float
    std: float | None


def bin_edges(costs: NDArray[np.float64], *, is_log: bool = True) -> NDArray[np.float64]:
    """Return edges of bins of equal width, (n_bins + 1,); n_bins is about sqrt(n_configurations).

    Args:
        is_log: the width is equal in the logarithm of the cost; a cost of 0 then has a bin of its own, whose two edges
            are 0.
    """
    import numpy as np

    if is_log and (costs <= 0).any():
        positive = costs[costs > 0]
        return np.concatenate([np.zeros(2), bin_edges(positive) if len(positive) else np.zeros(0)])
    n_bins = min(MAX_BINS, max(MIN_BINS, round(math.sqrt(len(costs)))))
    low, high = float(costs.min()), float(costs.max())
    if is_log:
        low, high = math.log(low), math.log(high)
    if high - low < 1e-9:
        low, high, n_bins = low - 0.05, high + 0.05, 1
    edges = np.linspace(low - 1e-9, high + 1e-9, n_bins + 1)
    return np.exp(edges) if is_log else edges


def bins(series: RunSeries, edges: NDArray[np.float64]) -> list[Bin]:
    """Compute mean and standard deviation (ddof 1) over the configurations of each bin that has any."""
    costs, values = series.over_seeds()
    found = []
    for low, high in pairwise(edges.tolist()):
        inside = values[costs == 0 if low == high == 0 else (low < costs) & (costs <= high)]
        if len(inside):
            std = float(inside.std(ddof=1)) if len(inside) > 1 else None
            found.append(Bin(low, high, len(inside), float(inside.mean()), std))
    return found


def bins_figure(plane: RunPlane, all_series: Sequence[RunSeries]) -> Figure:
    """Draw every series over the same bins."""
    import numpy as np

    quality, cost = plane.quality, plane.cost
    costs = np.concatenate([series.over_seeds()[0] for series in all_series])
    edges = bin_edges(costs, is_log=cost.is_log)
    by_series = [(series, bins(series, edges)) for series in all_series]
    means = [one.mean for _, found in by_series for one in found]
    ends = [one.mean + sign * (one.std or 0) for _, found in by_series for one in found for sign in (-1, 1)]
    y = quality_scale(quality, means, plane.frame.y, ends)
    parts = [axes(plane.frame, plane.x, y, cost.label, f"{quality.word}, mean and STD over configurations")]
    for series, found in by_series:
        placed = [_place(plane, y, series, one) for one in found]
        parts += [
            line([(point.x, point.y) for point in placed], f"{series.style}-line"),
            bars(placed, f"{series.style} member"),
            points(placed, f"{series.style} member", titled=True),
            points(
                [point for point, one in zip(placed, found, strict=True) if one.n < FEW],
                "inner", titled=False,
            ),
        ]  # fmt: skip
    parts.append(_counts(plane, by_series[-1][1]))
    rows = [_row(series, one, cost) for series, found in by_series for one in found]
    finding = f"{_widths(cost, edges)}; {_finding(plane, by_series[-1][1])}"
    caption = (
        f"Mean over the configurations of each bin of {_plural(cost)}, bars are one standard deviation (STD) over "
        f"configurations, not over seeds. The numbers along the axis count the configurations of a bin"
        f"{f' ({by_series[-1][0].label})' if len(by_series) > 2 else ''}; hollow marks have fewer than {FEW}. Bins mix "
        f"good and bad values of every other parameter: the front lies above them."
    )
    drawing = figure(f"tradeoff-{NAME}", plane.size, finding, caption, parts)
    return Figure(NAME, finding, caption, (("Bins", drawing),), _table(rows, cost), rows)


def _place(plane: RunPlane, y: ContinuousScale, series: RunSeries, one: Bin) -> Point:
    bottom, top = y.domain
    ends = [None if one.std is None else y(min(max(one.mean + s * one.std, bottom), top)) for s in (-1, 1)]
    title = f"{series.label}, {_range(plane.cost, one)}: {significant(one.mean)}, n = {one.n}"
    return Point(plane.x(_middle(plane.cost, one)), y(one.mean), ends[0], ends[1], None, title)


def _counts(plane: RunPlane, found: Sequence[Bin]) -> Markup:
    y = plane.frame.y[0] - 6
    places = [(plane.x(_middle(plane.cost, one)), str(one.n)) for one in found]
    return element("g", *(element("text", n, x=x, y=y, text_anchor="middle", class_="note") for x, n in places))


def _finding(plane: RunPlane, found: Sequence[Bin]) -> str:
    sign = 1 if plane.quality.higher_is_better else -1
    best = max(found, key=lambda one: sign * one.mean)
    return f"the best bin on average is at {_range(plane.cost, best)}."


def _row(series: RunSeries, one: Bin, cost: CostAxis) -> Row:
    return {
        "series": series.label, f"{cost.key}_low": one.low, f"{cost.key}_high": one.high, "n": one.n,
        "mean": one.mean, "std": one.std,
    }  # fmt: skip


def _middle(cost: CostAxis, one: Bin) -> float:
    return math.sqrt(one.low * one.high) if cost.is_log else (one.low + one.high) / 2


def _widths(cost: CostAxis, edges: NDArray[np.float64]) -> str:
    if not cost.is_log:
        return f"{plural(len(edges) - 1, 'bin')} of equal width in {cost.word}"
    n_bins = len(edges) - 1 if edges[0] > 0 else max(0, len(edges) - 3)
    return f"{plural(n_bins, 'bin')} of equal width in log {cost.word}{'' if edges[0] > 0 else ', and one at 0'}"


def _range(cost: CostAxis, one: Bin) -> str:
    """Name the costs of a bin, such as `ratio 0.1 to 0.2`."""
    low, high = cost_number(cost, one.low), cost_text(cost, one.high)
    return f"{cost.word} {high}" if one.low == one.high else f"{cost.word} {low} to {high}"


def _plural(cost: CostAxis) -> str:
    return "compression ratios" if cost == COMPRESSION else cost.name


def _table(rows: Sequence[Row], cost: CostAxis) -> Table:
    low, high = f"{cost.key}_low", f"{cost.key}_high"
    columns = [
        text_column("series", "series"),
        Column(low, f"{cost.heading} from", lambda row: cost_number(cost, row[low])),
        Column(high, "to", lambda row: cost_number(cost, row[high])),
        integer_column("n", "n", "configurations"),
        number_column("mean", "mean", digits=4),
        number_column("std", "STD", digits=2),
    ]
    return Table(NAME, f"Quality per bin of {_plural(cost)}.", columns, rows)
