"""Every two objectives of a study as a small front."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from reports.analysis.objective_fronts import ObjectiveFronts, ObjectivePair, goals_text
from reports.data.study_data import StudyData
from reports.data.trial import Trial
from reports.drawing.axes import Frame, axes
from reports.drawing.marks import MAX_TITLED, Point, bars, cloud, points, steps
from reports.drawing.scales import ContinuousScale
from reports.drawing.svg import EMPTY, figure
from reports.figures.figure import Figure
from reports.figures.objectives.metric_axis import metric_columns, metric_label, metric_scale, metric_text
from reports.figures.quality_axis import measured_points, place
from reports.formatting import MISSING, plural
from reports.table import Column, Row, Table, integer_column
from reports.tables.trial_rows import trial_row

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NAME = "objectives"
FRAME = Frame(width=470, height=300, left=56, right=12, top=34, bottom=46)
MAX_TABLE_ROWS = 200


def pairs_figure(data: StudyData, fronts: ObjectiveFronts) -> Figure:
    """Draw a panel for each two objectives, with the front of these two as a line."""
    rows = objective_rows(data, fronts)
    finding = (
        f"{len(fronts.directions)} objectives: {goals_text(fronts.directions)}. "
        f"{plural(int(fronts.is_known.sum()), 'configuration')}, {int(fronts.on_front.sum())} on the front of all of "
        "them."
    )
    caption = (
        "Each panel shows two of the objectives. The line joins the configurations that no other one beats in these "
        "two; large dots are on the front of all objectives, which can be anywhere in a panel. Bars are 95 % t "
        "intervals over seeds. Values are those of the test split."
    )
    if data.quality.has_validation:
        caption += " Fronts are decided on the validation split, so on the test split they may step back."
    drawings = tuple((pair.label, _panel(data, fronts, pair, finding, i)) for i, pair in enumerate(fronts.pairs))
    return Figure(NAME, finding, caption, drawings, objective_table(data, fronts, NAME, rows), rows)


def objective_rows(data: StudyData, fronts: ObjectiveFronts) -> list[Row]:
    """List every configuration with all objectives, exact, and the fronts it is on."""
    places = fronts.is_known.nonzero()[0].tolist()
    return [
        {
            **trial_row(data.configurations[at], fronts.directions),
            "on_front": bool(fronts.on_front[at]),
            **{f"on_front.{pair.x}.{pair.y}": bool(pair.on_front[at]) for pair in fronts.pairs},
        }
        for at in places
    ]


def objective_table(data: StudyData, fronts: ObjectiveFronts, name: str, rows: list[Row]) -> Table:
    """Build the table of the objectives: the front first, then the other configurations by number."""
    ordered = sorted(rows, key=lambda row: not row["on_front"])
    labels = {f"on_front.{pair.x}.{pair.y}": pair.label for pair in fronts.pairs}
    columns = [
        integer_column("number", "trial"),
        *(column for metric in fronts.directions for column in metric_columns(metric)),
        integer_column("n", "n", "seeds"),
        Column("pairs", "on the front of", lambda row: _pairs(row, labels), is_number=False),
    ]
    marked = frozenset(row["number"] for row in rows if row["on_front"])
    shown = ordered[:MAX_TABLE_ROWS]
    return Table(
        name, "Every configuration by its objectives; those on the front of all of them are marked.", columns, shown,
        marked, len(ordered) - len(shown), "number",
    )  # fmt: skip


def _pairs(row: Row, labels: dict[str, str]) -> str:
    return "; ".join(label for key, label in labels.items() if row[key]) or MISSING


def _panel(data: StudyData, fronts: ObjectiveFronts, pair: ObjectivePair, finding: str, index: int) -> Markup:
    columns, known = data.columns, fronts.is_known
    x = metric_scale(pair.x, columns[pair.x][known].tolist(), FRAME.x)
    y = metric_scale(pair.y, columns[pair.y][known].tolist(), FRAME.y, is_vertical=True)
    is_single = columns.among(data.drawn_individually) | fronts.on_front
    others = columns.where(known & is_single & ~fronts.on_front)
    members = columns.where(fronts.on_front)
    is_titled = len(members) + len(others) <= MAX_TITLED
    placed = _points(fronts, pair, x, y, members, titled=is_titled)
    parts = [
        axes(FRAME, x, y, _label(fronts, pair.x), _label(fronts, pair.y)),
        _cloud(data, pair, x, y, known & ~is_single),
        points(_points(fronts, pair, x, y, others, titled=is_titled), "final faint", titled=is_titled),
        _line(data, fronts, pair, x, y),
        bars(placed, "final member") if is_titled else EMPTY,
        points(placed, "final member", titled=is_titled),
    ]
    description = f"{pair.label.capitalize()} of every configuration."
    size, is_dense = (FRAME.width, FRAME.height), known.sum() > MAX_TITLED / 2
    return figure(
        f"objectives-{index}", size, f"{pair.label.capitalize()}: {_count(pair)}. {finding}", description, parts,
        class_="dense" if is_dense else None, data_hover="trials",
    )  # fmt: skip


def _count(pair: ObjectivePair) -> str:
    return f"{plural(int(pair.on_front.sum()), 'configuration')} on the front of these two"


def _label(fronts: ObjectiveFronts, metric: str) -> str:
    return f"{metric_label(metric)}: {'more' if fronts.directions[metric] == 'maximize' else 'less'} is better"


def _line(
    data: StudyData, fronts: ObjectiveFronts, pair: ObjectivePair, x: ContinuousScale, y: ContinuousScale
) -> Markup:
    """Draw the staircase of the pair's front, from its best value of `x` on."""
    xs, ys = data.columns[pair.x][pair.on_front], data.columns[pair.y][pair.on_front]
    order = xs.argsort(kind="stable")
    if fronts.directions[pair.x] == "maximize":
        order = order[::-1]
    places = [(x(float(xs[at])), y(float(ys[at]))) for at in order]
    return steps(places, "front-line") if places else EMPTY


def _points(
    fronts: ObjectiveFronts,
    pair: ObjectivePair,
    x: ContinuousScale,
    y: ContinuousScale,
    trials: list[Trial],
    *,
    titled: bool,
) -> list[Point]:
    return measured_points(
        place(
            trial.number,
            x(trial.value(pair.x)),
            y,
            trial[pair.y],
            f"trial {trial.number}: {', '.join(metric_text(name, trial[name]) for name in fronts.directions)}"
            if titled
            else "",
        )
        for trial in trials
    )


def _cloud(
    data: StudyData, pair: ObjectivePair, x: ContinuousScale, y: ContinuousScale, chosen: NDArray[np.bool_]
) -> Markup:
    if not chosen.any():
        return EMPTY
    return cloud(x.each(data.columns[pair.x][chosen]), y.each(data.columns[pair.y][chosen]), "final")
