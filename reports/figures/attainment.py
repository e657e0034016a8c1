"""Empirical attainment surfaces: the quality that 25, 50 and 75 % of the seeds attain within each cost.

Each seed gives one staircase: the best value among its configurations up to a cost. A level is a quantile of these
staircases. Grunert da Fonseca, Fonseca and Hall, "Inferential performance assessment of stochastic optimisers and the
attainment function" (EMO 2001), https://doi.org/10.1007/3-540-44719-9_15.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from reports.data.run_series import RunSeries
from reports.drawing.axes import axes
from reports.drawing.marks import steps
from reports.drawing.scales import ContinuousScale
from reports.drawing.svg import EMPTY, element, figure, pixel
from reports.figures.figure import Figure
from reports.figures.quality_axis import quality_scale
from reports.figures.run_plane import RunPlane
from reports.formatting import cost_number, cost_text, significant
from reports.table import Column, Row, Table, number_column, text_column
from studies.metrics.cost_axes import CostAxis

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NAME = "attainment"
LEVELS = (0.25, 0.5, 0.75)
MAX_TABLE_ROWS = 60


@dataclass(frozen=True)
class AttainmentSurface:
    """One level as a staircase: from each cost on, `values` is attained by that share of the seeds, until the next.

    Attributes:
        costs, values: (n_steps,), costs ascending, values ever better.
    """

    level: float
    costs: NDArray[np.float64]
    values: NDArray[np.float64]


def surfaces(series: RunSeries, higher_is_better: bool, levels: Sequence[float] = LEVELS) -> list[AttainmentSurface]:
    """Compute the attainment surface of each level: at least ceil(level * n) of the n seeds reach it."""
    import numpy as np

    costs, at = np.unique(series.costs, return_inverse=True)
    seeds, of = np.unique(series.seeds, return_inverse=True)
    sign = 1.0 if higher_is_better else -1.0
    best = np.full((len(seeds), len(costs)), -np.inf)
    np.maximum.at(best, (of, at), sign * series.values)
    best = np.sort(np.maximum.accumulate(best, axis=1), axis=0)[::-1]  # k-th row: attained by k + 1 seeds
    return [_steps(level, costs, best[math.ceil(level * len(seeds) - 1e-9) - 1], sign) for level in levels]


def _steps(level: float, costs: NDArray[np.float64], best: NDArray[np.float64], sign: float) -> AttainmentSurface:
    """Keep the costs at which the value rises."""
    import numpy as np

    rises = np.isfinite(best) & (best > np.concatenate([[-np.inf], best[:-1]]))
    return AttainmentSurface(level, costs[rises], sign * best[rises])


def common_seeds(series: RunSeries) -> RunSeries:
    """Keep only seeds that most configurations have, so that a level is not a quantile of different configurations."""
    import numpy as np

    seeds, counts = np.unique(series.seeds, return_counts=True)
    kept = np.isin(series.seeds, seeds[counts >= 0.9 * counts.max()])
    return RunSeries(
        series.label, series.style, series.numbers[kept], series.seeds[kept], series.costs[kept], series.values[kept]
    )


def attainment_figure(plane: RunPlane, all_series: Sequence[RunSeries]) -> Figure:
    """Draw the median surface of every series as a line and the quartiles as a band around it."""
    quality, cost, x = plane.quality, plane.cost, plane.x
    kept = [common_seeds(series) for series in all_series]
    found = [(series, surfaces(series, quality.higher_is_better)) for series in kept]
    values = [float(v) for _, levels in found for surface in levels for v in surface.values]
    y = quality_scale(quality, values, plane.frame.y)
    parts = [axes(plane.frame, x, y, cost.label, f"{quality.word} attained")]
    for series, (low, middle, high) in found:
        parts.append(_band(low, high, series.style, x, y))
        parts.append(_median(middle, f"{series.style}-line", x, y))
    rows: list[Row] = [
        {"series": series.label, "level": surface.level, cost.metric: float(at), "value": float(value)}
        for series, levels in found
        for surface in levels
        for at, value in zip(surface.costs, surface.values, strict=True)
    ]
    n_seeds = sorted({len(set(series.seeds.tolist())) for series in kept})
    seeds = " or ".join(str(n) for n in n_seeds)
    finding = f"Attainment over {seeds} seeds: {_finding(found[-1][1][1], cost)}"
    caption = (
        f"Each seed alone gives a staircase: the best {quality.word} among all configurations up to a "
        f"{cost.word}. Half of the {seeds} seeds attain the line; the band reaches from what 25 % to what 75 % of them "
        f"attain. Picking the best of one seed is optimistic: these surfaces lie above the front of means."
    )
    drawing = figure(f"tradeoff-{NAME}", plane.size, finding, caption, parts)
    return Figure(NAME, finding, caption, (("Attainment", drawing),), _table(rows, cost), rows)


def _median(surface: AttainmentSurface, style: str, x: ContinuousScale, y: ContinuousScale) -> Markup:
    placed = _placed(surface, x, y)
    return steps([*placed, (x.pixels[1], placed[-1][1])], style) if placed else EMPTY


def _band(
    best: AttainmentSurface, worst: AttainmentSurface, style: str, x: ContinuousScale, y: ContinuousScale
) -> Markup:
    """Draw the area between two staircases, closed at the right end of the axis and at the floor."""
    upper, lower = _placed(best, x, y), _placed(worst, x, y)
    if not upper or not lower:
        return EMPTY
    right, floor = x.pixels[1], y.pixels[0]
    path = f"M{pixel(upper[0][0])} {pixel(floor)}V{pixel(upper[0][1])}"
    path += "".join(f"H{pixel(px)}V{pixel(py)}" for px, py in upper[1:]) + f"H{pixel(right)}V{pixel(lower[-1][1])}"
    before = [floor, *(py for _, py in lower[:-1])]
    path += "".join(f"H{pixel(px)}V{pixel(py)}" for (px, _), py in zip(lower[::-1], before[::-1], strict=True))
    return element("path", d=path + "z", class_=f"band {style}")


def _placed(surface: AttainmentSurface, x: ContinuousScale, y: ContinuousScale) -> list[tuple[float, float]]:
    return [(x(float(r)), y(float(v))) for r, v in zip(surface.costs, surface.values, strict=True)]


def _finding(median: AttainmentSurface, cost: CostAxis) -> str:
    if not len(median.costs):
        return f"no {cost.word} is reached by half of them."
    at = f"{cost.word} {cost_text(cost, float(median.costs[-1]))}"
    return f"half of them reach {significant(float(median.values[-1]))} at {at}."


def _table(rows: Sequence[Row], cost: CostAxis) -> Table:
    columns = [
        text_column("series", "series"),
        Column("level", "seeds", lambda row: f"{row['level']:.0%}", "share of the seeds that attain it"),
        Column(cost.metric, f"from {cost.heading}", lambda row: cost_number(cost, row[cost.metric])),
        number_column("value", "value", digits=4),
    ]
    shown = rows[:MAX_TABLE_ROWS]
    return Table(NAME, "Steps of the attainment surfaces.", columns, shown, left_out=len(rows) - len(shown))
