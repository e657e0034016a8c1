"""Quality per bin of compression ratios: mean and STD over configurations, as von Oswald et al. (2020) in Fig. A7."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from reports.data.run_series import RunSeries
from reports.data.study_data import Quality
from reports.drawing.axes import Frame, axes
from reports.drawing.marks import Point, bars, line, points
from reports.drawing.scales import ContinuousScale, LogScale
from reports.drawing.svg import element, figure
from reports.figures.figure import Figure
from reports.figures.quality_axis import quality_scale
from reports.formatting import plural, significant
from reports.table import Column, Row, Table, text_column

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NAME = "bins"
MIN_BINS, MAX_BINS = 4, 20
FEW = 5


@dataclass(frozen=True)
class Bin:
    """Configurations whose ratio is in (low, high]; `std` is None for a single one."""

    low: float
    high: float
    n: int
    mean: float
    std: float | None

    @property
    def middle(self) -> float:
        return math.sqrt(self.low * self.high)


def bin_edges(ratios: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return edges of bins of equal width in log ratio, (n_bins + 1,); n_bins is about sqrt(n_configurations)."""
    import numpy as np

    n_bins = min(MAX_BINS, max(MIN_BINS, round(math.sqrt(len(ratios)))))
    low, high = math.log(ratios.min()), math.log(ratios.max())
    if high - low < 1e-9:
        low, high, n_bins = low - 0.05, high + 0.05, 1
    return np.exp(np.linspace(low - 1e-9, high + 1e-9, n_bins + 1))


def bins(series: RunSeries, edges: NDArray[np.float64]) -> list[Bin]:
    """Compute mean and standard deviation (ddof 1) over the configurations of each bin that has any."""
    import numpy as np

    ratios, values = series.over_seeds()
    place = np.digitize(ratios, edges, right=True) - 1
    found = []
    for i in range(len(edges) - 1):
        inside = values[place == i]
        if len(inside):
            std = float(inside.std(ddof=1)) if len(inside) > 1 else None
            found.append(Bin(float(edges[i]), float(edges[i + 1]), len(inside), float(inside.mean()), std))
    return found


def bins_figure(quality: Quality, all_series: Sequence[RunSeries], frame: Frame, x: LogScale, x_label: str) -> Figure:
    """Draw every series over the same bins."""
    import numpy as np

    edges = bin_edges(np.concatenate([series.over_seeds()[0] for series in all_series]))
    by_series = [(series, bins(series, edges)) for series in all_series]
    means = [one.mean for _, found in by_series for one in found]
    ends = [one.mean + sign * (one.std or 0) for _, found in by_series for one in found for sign in (-1, 1)]
    y = quality_scale(quality, means, frame.y, ends)
    parts = [axes(frame, x, y, x_label, f"{quality.word}, mean and STD over configurations")]
    for series, found in by_series:
        placed = [_place(one, series, x, y) for one in found]
        parts += [
            line([(point.x, point.y) for point in placed], f"{series.style}-line"),
            bars(placed, f"{series.style} member"),
            points(placed, f"{series.style} member", titled=True),
            points(
                [point for point, one in zip(placed, found, strict=True) if one.n < FEW],
                "inner", titled=False,
            ),
        ]  # fmt: skip
    parts.append(_counts(by_series[-1][1], x, frame))
    rows = [_row(series, one) for series, found in by_series for one in found]
    finding = f"{plural(len(edges) - 1, 'bin')} of equal width in log ratio; {_finding(quality, by_series[-1][1])}"
    caption = (
        f"Mean over the configurations of each bin of compression ratios, bars are one standard deviation (STD) over "
        f"configurations, not over seeds. The numbers along the axis count the configurations of a bin"
        f"{f' ({by_series[-1][0].label})' if len(by_series) > 2 else ''}; hollow marks have fewer than {FEW}. Bins mix "
        f"good and bad values of every other parameter: the front lies above them."
    )
    drawing = figure(f"tradeoff-{NAME}", (frame.width, frame.height), finding, caption, parts)
    return Figure(NAME, finding, caption, (("Bins", drawing),), _table(rows), rows)


def _place(one: Bin, series: RunSeries, x: LogScale, y: ContinuousScale) -> Point:
    bottom, top = y.domain
    ends = [None if one.std is None else y(min(max(one.mean + s * one.std, bottom), top)) for s in (-1, 1)]
    title = (
        f"{series.label}, ratio {significant(one.low)} to {significant(one.high)}: {significant(one.mean)}, n = {one.n}"
    )
    return Point(x(one.middle), y(one.mean), ends[0], ends[1], None, title)


def _counts(found: Sequence[Bin], x: LogScale, frame: Frame) -> Markup:
    texts = [
        element("text", str(one.n), x=x(one.middle), y=frame.y[0] - 6, text_anchor="middle", class_="note")
        for one in found
    ]
    return element("g", *texts)


def _finding(quality: Quality, found: Sequence[Bin]) -> str:
    sign = 1 if quality.higher_is_better else -1
    best = max(found, key=lambda one: sign * one.mean)
    return f"the best bin on average is at ratio {significant(best.low)} to {significant(best.high)}."


def _row(series: RunSeries, one: Bin) -> Row:
    return {
        "series": series.label, "ratio_low": one.low, "ratio_high": one.high, "n": one.n, "mean": one.mean,
        "std": one.std,
    }  # fmt: skip


def _table(rows: Sequence[Row]) -> Table:
    columns = [
        text_column("series", "series"),
        Column("ratio_low", "ratio from", lambda row: significant(row["ratio_low"])),
        Column("ratio_high", "to", lambda row: significant(row["ratio_high"])),
        Column("n", "n", lambda row: str(row["n"]), "configurations"),
        Column("mean", "mean", lambda row: significant(row["mean"], 4)),
        Column("std", "STD", lambda row: significant(row["std"], 2)),
    ]
    return Table(NAME, "Quality per bin of compression ratios.", columns, rows)
