"""Every run as a point: the scatter behind the means."""

from __future__ import annotations

from collections.abc import Sequence

from reports.data.run_series import RunSeries
from reports.drawing.axes import axes
from reports.drawing.marks import MAX_DOTS, Point, cloud, points
from reports.drawing.svg import figure
from reports.figures.figure import Figure
from reports.figures.quality_axis import quality_scale
from reports.figures.run_plane import RunPlane
from reports.formatting import plural, significant
from reports.table import Row, Table, cost_column, integer_column, number_column, text_column
from studies.metrics.cost_axes import CostAxis

NAME = "seeds"
MAX_TABLE_ROWS = 60


def seed_scatter_figure(plane: RunPlane, all_series: Sequence[RunSeries]) -> Figure:
    """Draw every run of every series, in the order of the series."""
    x, cost = plane.x, plane.cost
    y = quality_scale(plane.quality, [float(v) for series in all_series for v in series.values], plane.frame.y)
    parts = [axes(plane.frame, x, y, cost.label, f"{plane.quality.word} of each run")]
    n_runs = sum(len(series.values) for series in all_series)
    for series in all_series:
        if n_runs > MAX_DOTS:
            parts.append(cloud(x.each(series.costs), y.each(series.values), f"{series.style} run"))
            continue
        places = [(x(float(r)), y(float(v))) for r, v in zip(series.costs, series.values, strict=True)]
        placed = [Point(*at, None, None, int(number), "") for at, number in zip(places, series.numbers, strict=True)]
        parts.append(points(placed, f"{series.style} run", titled=False))
    rows: list[Row] = [
        {"series": s.label, "number": int(n), "seed": int(seed), cost.metric: float(r), "value": float(v)}
        for s in all_series
        for n, seed, r, v in zip(s.numbers, s.seeds, s.costs, s.values, strict=True)
    ]
    last = all_series[-1]
    finding = (
        f"{plural(len(last.values), 'run')}, from {significant(last.values.min())} to {significant(last.values.max())}."
    )
    caption = (
        "Each dot is one run (one seed of one configuration), nothing is averaged: runs of a configuration stand above "
        "each other. The best single run is lucky; decide by the means."
    )
    drawing = figure(f"tradeoff-{NAME}", plane.size, finding, caption, parts, class_="runs", data_hover="trials")
    return Figure(NAME, finding, caption, (("Every seed", drawing),), _table(rows, cost), rows)


def _table(rows: Sequence[Row], cost: CostAxis) -> Table:
    columns = [
        integer_column("number", "trial"),
        text_column("series", "series"),
        integer_column("seed", "seed"),
        cost_column(cost),
        number_column("value", "value", digits=4),
    ]
    shown = rows[:MAX_TABLE_ROWS]
    return Table(NAME, "Every run.", columns, shown, left_out=len(rows) - len(shown))
