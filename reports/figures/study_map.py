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
from reports.drawing.labels import Label, draw_labels
from reports.drawing.marks import MAX_TITLED, Point, bars, cloud, points, steps
from reports.drawing.scales import ContinuousScale, LogScale, padded_log
from reports.drawing.svg import EMPTY, figure, pixel
from reports.figures.quality_axis import interval_ends, place, quality_scale, trial_text
from reports.formatting import count_text, plural

NAME = "map"
FRAME = Frame(width=960, height=480, left=52, right=16, top=34, bottom=52)
X_LABEL = "compression ratio: weights to run every task / weights of one target network (log scale)"


def map_figure(
    map: StudyMap, data: StudyData, selected: NDArray[np.bool_] | None = None, *, is_zoomed: bool = False
) -> Markup:
    """Draw a study; the attributes `data-x`, `data-y` and `data-frame` say where a script finds which value.

    Args:
        data: the trials that are drawn as points, see `StudyMap.worth_drawing`.
        selected: mask of the configurations that are selected, (n_configurations,); the others are grey.
        is_zoomed: fit the axes to the selection.
    """
    chosen = np.ones(len(map), dtype=bool) if selected is None else selected
    x, y = _scales(map, data, chosen if is_zoomed and chosen.any() else np.ones(len(map), dtype=bool))
    inside = _within(x, map.ratios) & _within(y, map.finals)
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
        axes(FRAME, x, y, X_LABEL, f"{map.quality.word}, mean over seeds"),
        vertical_line(FRAME, x(1.0), "ratio 1: as large as the target network")
        if x.domain[0] <= 1 <= x.domain[1]
        else EMPTY,
        _density(map, x, y, inside & ~is_drawn & ~chosen, "outside"),
        _density(map, x, y, inside & ~is_drawn & chosen, "final"),
        points(_points(data, x, y, grey), "outside faint", titled=False),
        *_faint(data, x, y, [trial for trial in others if is_selected[trial.number]]),
        steps([(x(t.ratio), y(t.value(map.quality.final))) for t in front], "front-line")
        if data.front_is_tradeoff and front
        else EMPTY,
        bars(_points(data, x, y, front_chosen), "final member"),
        points(_points(data, x, y, front_chosen), "final member", titled=is_titled, name=f"{NAME}-front"),
        draw_labels(
            FRAME,
            [Label(x(t.ratio), y(t.value(map.quality.final)), f"best #{t.number}") for t in best],
            [(x(t.ratio), y(t.value(map.quality.final))) for t in front],
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
    if not data.front_is_tradeoff and map.on_front.any():
        goals = ", ".join(f"{goal} {metric}" for metric, goal in map.record.objectives.items())
        text += f" The study has other objectives ({goals}), so no line joins its front."
    if map.quality.has_validation:
        text += " The front is decided on the validation split and drawn on the test split, where it may step back."
    return text


def _scales(map: StudyMap, data: StudyData, chosen: NDArray[np.bool_]) -> tuple[LogScale, ContinuousScale]:
    is_all = bool(chosen.all())
    finals = map.finals[chosen]
    ratios = [float(map.ratios[chosen].min()), float(map.ratios[chosen].max()), *([1.0] if is_all else [])]
    numbers = set(map.numbers[chosen & map.on_front].tolist())
    ends = interval_ends(trial[map.quality.final] for trial in data.front if trial.number in numbers)
    y = quality_scale(map.quality, [float(finals.min()), float(finals.max())], FRAME.y, ends)
    return LogScale(padded_log(ratios), FRAME.x), y


def _domain(scale: ContinuousScale) -> str:
    kind = "log" if isinstance(scale, LogScale) else "linear"
    return f"{kind} {scale.domain[0]!r} {scale.domain[1]!r}"


def _within(scale: ContinuousScale, values: NDArray[np.float64]) -> NDArray[np.bool_]:
    return (scale.domain[0] <= values) & (values <= scale.domain[1])


def _in_view(x: LogScale, y: ContinuousScale, data: StudyData, trial: Trial) -> bool:
    final = trial.value(data.quality.final)
    return x.domain[0] <= trial.ratio <= x.domain[1] and y.domain[0] <= final <= y.domain[1]


def _faint(data: StudyData, x: LogScale, y: ContinuousScale, trials: Sequence[Trial]) -> list[Markup]:
    titled = len(trials) <= MAX_TITLED
    allowed = [trial for trial in trials if trial.number in data.feasible]
    refused = [trial for trial in trials if trial.number not in data.feasible]
    return [
        bars(_points(data, x, y, trials), "final faint") if titled else EMPTY,
        points(_points(data, x, y, refused), "final infeasible faint", titled=titled),
        points(_points(data, x, y, allowed), "final faint", titled=titled),
    ]


def _density(map: StudyMap, x: LogScale, y: ContinuousScale, chosen: NDArray[np.bool_], style: str) -> Markup:
    return cloud(x.each(map.ratios[chosen]), y.each(map.finals[chosen]), style) if chosen.any() else EMPTY


def _points(data: StudyData, x: LogScale, y: ContinuousScale, trials: Sequence[Trial]) -> list[Point]:
    """Place trials; of many, which get neither bars nor titles, without their intervals."""
    final = data.quality.final
    if len(trials) > MAX_TITLED:
        return [Point(x(t.ratio), y(t.value(final)), None, None, t.number, "") for t in trials]
    placed = (place(t.number, x(t.ratio), y, t[final], trial_text(data, t)) for t in trials)
    return [point for point in placed if point is not None]
