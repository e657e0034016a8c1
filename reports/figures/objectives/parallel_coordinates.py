"""Parallel coordinates: one vertical axis per objective, one line per configuration.

Inselberg, "The plane with parallel coordinates" (The Visual Computer 1, 1985), https://doi.org/10.1007/BF01898350.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from reports.analysis.objective_fronts import ObjectiveFronts
from reports.data.study_data import StudyData
from reports.data.trial import Trial
from reports.drawing.marks import MAX_TITLED, Point, points
from reports.drawing.scales import ContinuousScale
from reports.drawing.svg import EMPTY, element, figure, pixel
from reports.figures.figure import Figure
from reports.figures.objectives.metric_axis import metric_label, metric_scale, metric_text
from reports.figures.objectives.pairs import objective_rows, objective_table
from reports.formatting import plural

NAME, HELD_BY = "parallel", "objectives"
WIDTH, HEIGHT, SIDE, TOP, BOTTOM = 960.0, 420.0, 130.0, 46.0, 20.0
GAP = 8
FAINT, STRONG = ".2", ".85"


def parallel_figure(data: StudyData, fronts: ObjectiveFronts) -> Figure:
    """Draw the configurations as lines across the objectives, the better end of each axis on top."""
    rows = objective_rows(data, fronts)
    finding = (
        f"{plural(int(fronts.on_front.sum()), 'configuration')} on the front, across {len(fronts.directions)} axes."
    )
    caption = (
        "Each line is one configuration, strong on the front of all objectives. The better end of each axis is on top, "
        "so a line that stays high is good in everything; lines that cross between two axes trade one for the other."
    )
    is_single = data.columns.among(data.drawn_individually) | fronts.on_front
    others = data.columns.where(fronts.is_known & is_single & ~fronts.on_front)
    if len(others) + int(fronts.on_front.sum()) < int(fronts.is_known.sum()):
        caption += f" Beside the front only the {len(others)} best are drawn."
    drawing = _draw(fronts, data.columns.where(fronts.on_front), others, scales(data, fronts), finding, caption)
    table = objective_table(data, fronts, NAME, rows)
    return Figure(NAME, finding, caption, (("Parallel coordinates", drawing),), table, rows, HELD_BY)


def scales(data: StudyData, fronts: ObjectiveFronts) -> dict[str, ContinuousScale]:
    """Return the axis of each objective, the better end on top."""
    top, bottom = TOP, HEIGHT - BOTTOM
    return {
        metric: metric_scale(
            metric,
            data.columns[metric][fronts.is_known].tolist(),
            (bottom, top) if goal == "maximize" else (top, bottom),
            is_vertical=True,
        )
        for metric, goal in fronts.directions.items()
    }


def _draw(
    fronts: ObjectiveFronts,
    members: Sequence[Trial],
    others: Sequence[Trial],
    axes: Mapping[str, ContinuousScale],
    finding: str,
    caption: str,
) -> Markup:
    at = _across(list(axes))
    is_titled = len(members) <= MAX_TITLED
    dots = [
        Point(at[metric], y(trial.value(metric)), None, None, trial.number, "")
        for trial in members
        for metric, y in axes.items()
    ]
    parts = [
        *(_line(trial, axes, at, FAINT, titled=False) for trial in others),
        *(_line(trial, axes, at, STRONG, titled=is_titled) for trial in members),
        points(dots, "final member", titled=False),
        *(_axis(metric, y, at[metric], fronts.directions[metric]) for metric, y in axes.items()),
    ]
    return figure(NAME, (WIDTH, HEIGHT), finding, caption, parts, class_="runs", data_hover="trials")


def _across(metrics: Sequence[str]) -> dict[str, float]:
    """Return the pixel of each axis, evenly spaced."""
    step = (WIDTH - 2 * SIDE) / (len(metrics) - 1)
    return {metric: SIDE + i * step for i, metric in enumerate(metrics)}


def _line(
    trial: Trial, axes: Mapping[str, ContinuousScale], at: Mapping[str, float], opacity: str, *, titled: bool
) -> Markup:
    places = [(at[metric], y(trial.value(metric))) for metric, y in axes.items()]
    text = f"trial {trial.number}: {', '.join(metric_text(metric, trial[metric]) for metric in axes)}"
    path = "L".join(f"{pixel(x)} {pixel(y)}" for x, y in places)
    title = [element("title", text)] if titled else []
    return element("path", *title, d=f"M{path}", class_="final-line", opacity=opacity)


def _axis(metric: str, y: ContinuousScale, x: float, goal: str) -> Markup:
    """Draw one axis with its ticks, its name, and the direction that is better."""
    ticks = [tick for tick in y.ticks() if tick.label]
    marks = "".join(f"M{pixel(x)} {pixel(y(tick.value))}h-4" for tick in ticks)
    labels = [
        element("text", tick.label, x=x - GAP, y=y(tick.value) + 4, text_anchor="end", class_="note") for tick in ticks
    ]
    better = "higher is better" if goal == "maximize" else "lower is better"
    return EMPTY.join([
        element("path", d=f"M{pixel(x)} {pixel(TOP)}V{pixel(HEIGHT - BOTTOM)}{marks}", class_="axis"),
        *labels,
        element("text", metric_label(metric), x=x, y=16, text_anchor="middle", class_="label"),
        element("text", f"↑ {better}", x=x, y=32, text_anchor="middle", class_="label"),
    ])  # fmt: skip
