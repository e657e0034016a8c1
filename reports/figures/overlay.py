"""Several fronts in one plane: quality against a cost, a colour and a shape per family."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from reports.analysis.families import Family
from reports.data.trial import Trial
from reports.drawing.axes import Frame, axes, vertical_line
from reports.drawing.cost_scale import cost_scale, with_reference
from reports.drawing.labels import Label, draw_labels
from reports.drawing.marks import MAX_DOTS, Point, bars, cloud, glyphs, points, steps
from reports.drawing.scales import ContinuousScale
from reports.drawing.svg import EMPTY, figure
from reports.figures.close_up import are_within, fills_little, is_within
from reports.figures.figure import Figure
from reports.figures.quality_axis import error_scale, interval_ends, measured_points, place, quality_scale, trial_text
from reports.table import Row, Table, cost_column, integer_column, mean_column, mean_columns, text_column
from reports.tables.trial_rows import trial_row
from studies.metrics.cost_axes import COMPRESSION

NAME = "fronts"
FRAME = Frame(width=960, height=500, left=52, right=16, top=34, bottom=52)
MAX_TABLE_ROWS = 200


def overlay_figure(
    families: Sequence[Family], x: ContinuousScale, label: str = "Fronts", held_by: str | None = None
) -> Figure:
    """Draw every configuration faintly and the front of each family in full.

    Further views are a close-up of the fronts where they fill a small part of that, and an axis of errors.

    Args:
        label: of the first view among others.
        held_by: the figure whose CSV holds the same numbers, where there is one; then there is one view.
    """
    quality = families[0].data.quality
    means = [end for family in families for end in family.data.mean_range]
    ends = interval_ends(trial[quality.final] for family in families for trial in family.data.front)
    y_label = quality.axis_label
    y = quality_scale(quality, means, FRAME.y, ends)
    views = [(NAME, label, x, y, y_label)]
    close = _close_up(families, x, y, ends) if held_by is None else None
    if close is not None:
        views.append((f"{NAME}-close-up", "The fronts, close up", *close, y_label))
    errors = error_scale(means, FRAME.y) if quality.higher_is_better and held_by is None else None
    if errors is not None:
        views.append((f"{NAME}-errors", "By error", x, errors, f"1 − {y_label} (log scale)"))
    finding = " ".join(f"{family.label}: {family.recommendation.headline}" for family in families)
    caption = (
        "The front of each family with 95 % t intervals over seeds, an arrow where one goes on beyond the axis; small "
        f"dots are its other configurations. Better is {'up' if quality.higher_is_better else 'down'} and to the left. "
        "Values are final, on the test split."
    )
    if any(family.data.quality.has_validation for family in families):
        caption += " Fronts are decided on the validation split, so on the test split they may step back."
    size = (FRAME.width, FRAME.height)
    drawings = tuple(
        (view, figure(name, size, finding, caption, _parts(families, name, x, y, y_text), data_hover="trials"))
        for name, view, x, y, y_text in views
    )
    return Figure(NAME, finding, caption, drawings, _table(families), overlay_rows(families), held_by)


def _parts(families: Sequence[Family], name: str, x: ContinuousScale, y: ContinuousScale, y_label: str) -> list[Markup]:
    cost = families[0].data.x
    reference = cost.reference if cost.reference is not None and is_within(x, cost.reference[0]) else None
    return [
        axes(FRAME, x, y, cost.label, y_label),
        EMPTY if reference is None else vertical_line(FRAME, x(reference[0]), reference[1]),
        *(_rest(family, x, y) for family in families),
        *(_front(family, name, x, y) for family in families),
        draw_labels(FRAME, [label for family in families for label in _label(family, x, y)], _fronts(families, x, y)),
    ]


def _close_up(
    families: Sequence[Family], x: ContinuousScale, y: ContinuousScale, ends: Sequence[float]
) -> tuple[ContinuousScale, ContinuousScale] | None:
    """Return the axes of the part of the plane around all fronts, None where it is too large for a close-up."""
    members = [trial for family in families for trial in family.data.front]
    if len(members) < 2:
        return None
    data = families[0].data
    quality = data.quality
    own_x = cost_scale(data.x, [data.cost(trial) for trial in members], FRAME.x, 0.08)
    own_y = quality_scale(quality, [trial.value(quality.final) for trial in members], FRAME.y, ends)
    return (own_x, own_y) if fills_little((x, y), (own_x, own_y)) else None


def x_scale(families: Sequence[Family]) -> ContinuousScale:
    """Return the x axis that all views share."""
    x, ends = families[0].data.x, [end for family in families for end in family.data.cost_ends]
    return cost_scale(x, with_reference(x, ends), FRAME.x)


def overlay_rows(families: Sequence[Family]) -> list[Row]:
    """List every configuration of every family, exact."""
    return [
        {
            "family": family.label,
            "study": family.data.record.name,
            "key": family.key(trial),
            "on_front": trial.number in family.data.on_front,
            **trial_row(trial, _metrics(family)),
        }
        for family in families
        for trial in family.data.configurations
    ]


def _metrics(family: Family) -> list[str]:
    x, quality = family.data.x.metric, family.data.quality
    return list(dict.fromkeys(
        [x, COMPRESSION.metric, quality.final, quality.during, quality.selection, "forgetting", "seconds"]
    ))  # fmt: skip


def _rest(family: Family, x: ContinuousScale, y: ContinuousScale) -> Markup:
    data, columns = family.data, family.data.columns
    costs, finals = data.costs, columns[data.quality.final]
    others = ~columns.among(data.on_front) & are_within(x, costs) & are_within(y, finals)
    if others.sum() > MAX_DOTS:
        return cloud(x.each(costs[others]), y.each(finals[others]), family.style)
    return points(_points(family, columns.where(others), x, y, titled=False), f"{family.style} faint", titled=False)


def _front(family: Family, name: str, x: ContinuousScale, y: ContinuousScale) -> Markup:
    placed = _points(family, family.data.front, x, y, titled=True)
    if not placed:
        return EMPTY
    return EMPTY.join([
        bars(placed, f"{family.style} member"),
        steps([(point.x, point.y) for point in placed], f"{family.style}-line"),
        glyphs(placed, family.index, family.style, name=f"{name}-{family.index}-front"),
    ])  # fmt: skip


def _fronts(families: Sequence[Family], x: ContinuousScale, y: ContinuousScale) -> list[tuple[float, float]]:
    """List the places of all members of all fronts."""
    return [
        (x(family.data.cost(trial)), y(trial.value(family.data.quality.final)))
        for family in families
        for trial in family.data.front
    ]


def _points(
    family: Family, trials: Sequence[Trial], x: ContinuousScale, y: ContinuousScale, titled: bool
) -> list[Point]:
    final = family.data.quality.final
    return measured_points(
        place(
            family.key(trial), x(family.data.cost(trial)), y, trial[final],
            f"{family.label}, {trial_text(family.data, trial)}" if titled else "",
        )
        for trial in trials
    )  # fmt: skip


def _label(family: Family, x: ContinuousScale, y: ContinuousScale) -> list[Label]:
    """Label a family at its best configuration."""
    best, data = family.recommendation.best, family.data
    if best is None or not (is_within(x, data.cost(best)) and is_within(y, best.value(data.quality.final))):
        return []
    name = family.label if len(family.label) <= 40 else family.label[:39] + "…"
    return [Label(x(data.cost(best)), y(best.value(data.quality.final)), name, family.style)]


def _table(families: Sequence[Family]) -> Table:
    quality = families[0].data.quality
    rows = [row for row in overlay_rows(families) if row["on_front"]]
    shown = rows[:MAX_TABLE_ROWS]
    columns = [
        text_column("family", "family"),
        integer_column("number", "trial"),
        cost_column(families[0].data.x),
        *mean_columns(quality.final, "final"),
        *([mean_column(quality.during, "during")] if any(one.data.has_during for one in families) else []),
        integer_column("n", "n", "seeds"),
    ]
    return Table(NAME, "Members of the fronts.", columns, shown, left_out=len(rows) - len(shown), key="key")
