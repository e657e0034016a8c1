"""The quality axis of all figures: one scale, and points with intervals on it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hnet_core.dotted_keys import short_names
from reports.data.study_data import Quality, StudyData
from reports.data.trial import Trial
from reports.drawing.marks import Point
from reports.drawing.scales import ContinuousScale, ErrorScale, LinearScale, LogScale, padded, padded_log
from reports.formatting import cost_text, mean_text, parameter, range_text
from studies.statistics.interval import Interval

MIN_ACCURACY_SPAN = 0.02
T_OF_TWO = 12.706  # 97.5 % quantile of Student's t with one degree of freedom


def quality_scale(
    quality: Quality, values: Sequence[float], pixels: tuple[float, float], ends: Iterable[float] = ()
) -> ContinuousScale:
    """Return a y axis over all values and interval ends: logarithmic for positive errors, linear for accuracies.

    An accuracy axis never reaches beyond [0, 1] for the sake of an interval, which at two or three seeds can.
    """
    if quality.higher_is_better:
        return LinearScale(accuracy_domain([*values, *(min(max(end, 0.0), 1.0) for end in ends)]), pixels)
    if min(values) <= 0:
        return LinearScale(padded(0.0, max(values)), pixels)
    return LogScale(padded_log([value for value in (*values, *ends) if value > 0]), pixels)


def error_scale(values: Iterable[float], pixels: tuple[float, float]) -> ErrorScale | None:
    """Return a logarithmic y axis of 1 - accuracy over some accuracies; None where all are equal or perfect."""
    errors = [1 - value for value in values if value < 1]
    if not errors or max(errors) < min(errors) * 1.01:
        return None
    least, largest = padded_log(errors)
    return ErrorScale((1 - largest, 1.0), pixels, least)


def interval_ends(intervals: Iterable[Interval]) -> list[float]:
    """List what an axis must show of each interval: both ends, but of one over two seeds only the seeds themselves.

    Two seeds leave one degree of freedom: their interval is `T_OF_TWO` times as wide as they are apart, so that it
    would make the axis and hide the data.
    """
    ends = []
    for interval in intervals:
        if interval.mean is None or interval.low is None or interval.high is None:
            continue
        if interval.n == 2:
            apart = max(interval.mean - interval.low, interval.high - interval.mean) / T_OF_TWO
            ends += [interval.mean - apart, interval.mean + apart]
        else:
            ends += [interval.low, interval.high]
    return ends


def accuracy_domain(values: Sequence[float]) -> tuple[float, float]:
    """Return the range of some accuracies, at least `MIN_ACCURACY_SPAN` wide so that noise does not fill the axis."""
    middle, half = (max(values) + min(values)) / 2, MIN_ACCURACY_SPAN / 2
    return padded(min(min(values), middle - half), max(max(values), middle + half))


def place(number: int | str | None, x: float, y: ContinuousScale, interval: Interval, title: str) -> Point | None:
    """Place one value in pixels, its interval open where it goes on beyond the axis; None where it was not measured."""
    if interval.mean is None:
        return None
    bottom, top = y.domain
    low, high = (None if end is None else y(min(max(end, bottom), top)) for end in (interval.low, interval.high))
    best = 1 - y.least if isinstance(y, ErrorScale) else top
    is_open = (
        interval.low is not None and interval.low < bottom,
        interval.high is not None and interval.high > best,
    )
    return Point(x, y(interval.mean), low, high, number, title, is_open)


def measured_points(placed: Iterable[Point | None]) -> list[Point]:
    """Return the points of `place` without those of values that were not measured."""
    return [point for point in placed if point is not None]


def trial_text(data: StudyData, trial: Trial) -> str:
    """Describe a configuration in one line: cost, quality, seeds and parameter values."""
    quality = data.quality
    parts = [
        f"{data.x.word} {cost_text(data.x, data.cost(trial))}",
        f"final {_with_range(trial[quality.final])}",
        *([f"during {_with_range(trial[quality.during])}"] if trial.mean(quality.during) is not None else []),
        f"n = {trial.n}",
        *(f"{short} {parameter(trial.params[key])}" for key, short in short_names(data.parameters).items()),
    ]
    return f"trial {trial.number}: " + ", ".join(parts)


def _with_range(interval: Interval) -> str:
    return mean_text(interval) if interval.low is None else f"{mean_text(interval)} {range_text(interval)}"
