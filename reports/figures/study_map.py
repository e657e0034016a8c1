"""The trade-off figure of a study of any size, with a selection: front, points that matter, density of the others."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from reports.data.study_data import StudyData
from reports.data.study_map import StudyMap
from reports.data.trial import Trial
from reports.drawing.axes import Frame, axes, vertical_line
from reports.drawing.cost_scale import cost_scale, with_reference
from reports.drawing.labels import Label, draw_labels
from reports.drawing.marks import MAX_TITLED, Point, bars, cloud, points, steps
from reports.drawing.scales import ZERO_PLACE, ContinuousScale, LogScale, ZeroLogScale
from reports.drawing.svg import EMPTY, figure, pixel
from reports.figures.close_up import are_within, is_within
from reports.figures.quality_axis import interval_ends, place, quality_scale, trial_text
from reports.formatting import count_text, plural

NAME = "map"
FRAME = Frame(width=960, height=480, left=52, right=16, top=34, bottom=52)


def map_figure(
    map: StudyMap, data: StudyData, selected: NDArray[np.bool_] | None = None, *, is_zoomed: bool = False
) -> Markup:
    """Draw a study; the attributes `data-x`, `data-y` and `data-frame` let a script find the value at a place.

    Args:
        data: the trials that are drawn as points, see `StudyMap.worth_drawing`.
        selected: mask of the configurations that are selected, (n_configurations,); the others are grey.
        is_zoomed: fit the axes to the selection.
    """
    chosen = np.ones(len(map), dtype=bool) if selected is None else selected
    x, y = _scales(map, data, chosen if is_zoomed and chosen.any() else np.ones(len(map), dtype=bool))
    inside = are_within(x, map.costs) & are_within(y, map.finals)
    is_drawn = map.among(np.sort(data.columns.numbers))
    is_selected = dict(zip(map.numbers[is_drawn].tolist(), chosen[is_drawn].tolist(), strict=True))
    shown = [trial for trial in data.configurations if _in_view(x, y, data, trial)]
    front = [trial for trial in data.front if _in_view(x, y, data, trial)]
    others = [trial for trial in shown if trial.number not in data.on_front]
    grey = [trial for trial in shown if not is_selected[trial.number]]
    front_chosen = [trial for trial in front if is_selected[trial.number]]
    best = [trial for trial in shown if trial.number == map.best]
    is_titled = len(shown) <= MAX_TITLED
    parts = [
        axes(FRAME, x, y, map.x.label, f"{map.quality.word}, mean over seeds"),
        _reference(map, x),
        _density(map, x, y, inside & ~is_drawn & ~chosen, "outside"),
        _density(map, x, y, inside & ~is_drawn & chosen, "final"),
        points(_points(data, x, y, grey), "outside faint", titled=False),
        *_faint(data, x, y, [trial for trial in others if is_selected[trial.number]]),
        steps(_places(data, x, y, front), "front-line") if data.front_is_tradeoff and front else EMPTY,
        bars(_points(data, x, y, front_chosen), "final member"),
        points(_points(data, x, y, front_chosen), "final member", titled=is_titled, name=f"{NAME}-front"),
        draw_labels(
            FRAME,
            [Label(*place, f"best #{map.best}") for place in _places(data, x, y, best)],
            _places(data, x, y, front),
        ),
    ]  # fmt: skip
    return figure(
        NAME, (FRAME.width, FRAME.height), finding(map, selected), caption(map, data), parts,
        class_="dense" if len(shown) > MAX_TITLED / 2 else None, data_hover="trials",
        data_x=_domain(x), data_y=_domain(y),
        data_frame=" ".join(pixel(each) for each in (FRAME.x[0], FRAME.y[1], FRAME.x[1], FRAME.y[0])),
    )  # fmt: skip


def finding(map: StudyMap, selected: NDArray[np.bool_] | None) -> str:
    """State the number of configurations, of those on the front, and of those selected."""
    text = f"{plural(len(map), 'configuration')}, {count_text(map.on_front.sum())} on the front"
    return f"{text}." if selected is None else f"{text}, {count_text(selected.sum())} selected."


def caption(map: StudyMap, data: StudyData) -> str:
    """Explain the marks."""
    better = "up" if map.quality.higher_is_better else "down"
    text = (
        f"Better is {better} and to the left. Each dot is the mean of one configuration over its seeds on the test "
        "split; bars are 95 % t intervals of the front."
    )
    if len(data.configurations) < len(map):
        text += (
            f" {count_text(len(data.configurations))} of {count_text(len(map))} are drawn one by one, the best of each "
            "hundredth of the axis; the others are a cloud, denser where darker."
        )
    if map.n_left_out:
        others = plural(map.n_left_out, "finished configuration")
        text += f" Without {others} that {'has' if map.n_left_out == 1 else 'have'} no known {map.x.name}"
        text += f" or no {map.quality.word}."
    if not data.front_is_tradeoff and map.on_front.any():
        goals = ", ".join(f"{goal} {metric}" for metric, goal in map.record.objectives.items())
        kind = "one objective" if len(map.record.objectives) == 1 else "other objectives"
        text += (
            f" The study has {kind} ({goals}), so no line joins its front; a cost that is chosen draws the front of "
            f"{map.quality.word} and that cost."
        )
    elif map.is_front_of_axis:
        text += f" The front is that of {map.quality.word} and {map.x.name}, whatever the study searched for."
    if map.quality.has_validation:
        text += " The front is decided on the validation split and drawn on the test split, where it may step back."
    return text


def _reference(map: StudyMap, x: ContinuousScale) -> Markup:
    """Draw the line at the reference of the cost, where there is one inside the axis."""
    if map.x.reference is None or not is_within(x, map.x.reference[0]):
        return EMPTY
    cost, label = map.x.reference
    return vertical_line(FRAME, x(cost), label)


def _scales(map: StudyMap, data: StudyData, chosen: NDArray[np.bool_]) -> tuple[ContinuousScale, ContinuousScale]:
    finals, ends_of_x = map.finals[chosen], map.cost_ends(chosen)
    x = cost_scale(map.x, with_reference(map.x, ends_of_x) if chosen.all() else ends_of_x, FRAME.x)
    numbers = set(map.numbers[chosen & map.on_front].tolist())
    ends = interval_ends(trial[map.quality.final] for trial in data.front if trial.number in numbers)
    y = quality_scale(map.quality, [float(finals.min()), float(finals.max())], FRAME.y, ends)
    return x, y


def _domain(scale: ContinuousScale) -> str:
    """Return the kind of a scale, its ends and, of one with a place for 0 before them, the share of that place."""
    if isinstance(scale, ZeroLogScale):
        return f"zero-log {scale.least!r} {scale.domain[1]!r} {ZERO_PLACE!r}"
    kind = "log" if isinstance(scale, LogScale) else "linear"
    return f"{kind} {scale.domain[0]!r} {scale.domain[1]!r}"


def _in_view(x: ContinuousScale, y: ContinuousScale, data: StudyData, trial: Trial) -> bool:
    return is_within(x, data.cost(trial)) and is_within(y, trial.value(data.quality.final))


def _places(
    data: StudyData, x: ContinuousScale, y: ContinuousScale, trials: Sequence[Trial]
) -> list[tuple[float, float]]:
    return [(x(data.cost(trial)), y(trial.value(data.quality.final))) for trial in trials]


def _faint(data: StudyData, x: ContinuousScale, y: ContinuousScale, trials: Sequence[Trial]) -> list[Markup]:
    titled = len(trials) <= MAX_TITLED
    allowed = [trial for trial in trials if trial.number in data.feasible]
    refused = [trial for trial in trials if trial.number not in data.feasible]
    return [
        bars(_points(data, x, y, trials), "final faint") if titled else EMPTY,
        points(_points(data, x, y, refused), "final infeasible faint", titled=titled),
        points(_points(data, x, y, allowed), "final faint", titled=titled),
    ]


def _density(map: StudyMap, x: ContinuousScale, y: ContinuousScale, chosen: NDArray[np.bool_], style: str) -> Markup:
    return cloud(x.each(map.costs[chosen]), y.each(map.finals[chosen]), style) if chosen.any() else EMPTY


def _points(data: StudyData, x: ContinuousScale, y: ContinuousScale, trials: Sequence[Trial]) -> list[Point]:
    """Place trials; of many, which get neither bars nor titles, without their intervals."""
    final = data.quality.final
    if len(trials) > MAX_TITLED:
        return [Point(x(data.cost(t)), y(t.value(final)), None, None, t.number, "") for t in trials]
    placed = (place(t.number, x(data.cost(t)), y, t[final], trial_text(data, t)) for t in trials)
    return [point for point in placed if point is not None]
