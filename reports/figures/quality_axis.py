"""The y axis all figures of a report share: the measure of the study, over the range that was measured."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from reports.data.study_data import Evidence, Quality
from reports.data.trial import Trial
from reports.drawing.marks import Point
from reports.drawing.scales import Linear, Log, padded, padded_log
from reports.formatting import mean_text, parameter, range_text, short_names, significant
from studies.statistics.interval import Interval

if TYPE_CHECKING:
    pass

MIN_ACCURACY_SPAN = 0.02


def quality_scale(
    quality: Quality, means: Iterable[float], front: Iterable[Trial], pixels: tuple[float, float]
) -> Linear | Log:
    """Covers all `means` and every interval of `front`; errors get a log axis, accuracies a linear one.

    An accuracy axis never reaches beyond [0, 1] for the sake of an interval, which at two or three seeds can.
    """
    values = list(means)
    ends = [end for trial in front for end in (trial[quality.final].low, trial[quality.final].high) if end is not None]
    if not quality.higher_is_better:
        positive = [value for value in (*values, *ends) if value > 0]
        return Log(padded_log(positive), pixels) if min(values) > 0 else Linear(padded(0.0, max(values)), pixels)
    inside = [min(max(end, 0.0), 1.0) for end in ends]
    return Linear(accuracy_domain(values + inside), pixels)


def accuracy_domain(values: Sequence[float]) -> tuple[float, float]:
    """The range of some accuracies, never so narrow that a hundredth of a point looks like a finding."""
    middle, half = (max(values) + min(values)) / 2, MIN_ACCURACY_SPAN / 2
    return padded(min(min(values), middle - half), max(max(values), middle + half))


def place(number: int | str | None, x: float, y: Linear | Log, interval: Interval, words: str) -> Point | None:
    """One value of trial `number` in pixels; its interval ends where the axis does. None where it was not measured."""
    if interval.mean is None:
        return None
    bottom, top = y.domain
    low, high = (None if end is None else y(min(max(end, bottom), top)) for end in (interval.low, interval.high))
    return Point(x, y(interval.mean), low, high, number, words)


def words(evidence: Evidence, trial: Trial) -> str:
    """A configuration in one line: what it reached, at what size, with which values."""
    quality = evidence.quality
    parts = [
        f"ratio {significant(trial.ratio)}",
        f"final {_with_range(trial[quality.final])}",
        f"during {_with_range(trial[quality.during])}",
        f"n = {trial.n}",
        *(f"{short} {parameter(trial.params[key])}" for key, short in short_names(evidence.parameters).items()),
    ]
    return f"trial {trial.number}: " + ", ".join(parts)


def _with_range(interval: Interval) -> str:
    return mean_text(interval) if interval.low is None else f"{mean_text(interval)} {range_text(interval)}"


def value_scale(quality: Quality, values: Sequence[float], pixels: tuple[float, float]) -> Linear | Log:
    """A y axis over all values; errors get a log axis where they are positive."""
    if quality.higher_is_better:
        return Linear(accuracy_domain(values), pixels)
    return Log(padded_log(values), pixels) if min(values) > 0 else Linear(padded(0.0, max(values)), pixels)
