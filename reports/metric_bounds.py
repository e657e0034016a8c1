"""Bounds of metrics: an interval over few seeds can reach beyond every value that its metric can have."""

from __future__ import annotations

import math
from dataclasses import replace

from studies.statistics.interval import Interval

ANY = (-math.inf, math.inf)
SHARE, DIFFERENCE, NEVER_NEGATIVE = (0.0, 1.0), (-1.0, 1.0), (0.0, math.inf)
BOUNDS = {
    **dict.fromkeys(
        ("final_accuracy", "during_accuracy", "average_incremental_accuracy", "validation_final_accuracy"), SHARE
    ),
    **dict.fromkeys(("forgetting", "forgetting_first", "backward_transfer", "forward_transfer"), DIFFERENCE),
    "forgetting_mammoth": SHARE,
    **dict.fromkeys(("final_mse", "during_mse", "validation_final_mse", "seconds", "peak_memory_mib"), NEVER_NEGATIVE),
}


def bounded(metric: str, interval: Interval) -> Interval:
    """Cut an interval at the least and the largest value of its metric; one without bounds stays.

    Example:
        >>> bounded("final_accuracy", Interval(0.9, 0.37, 1.43, 2))
        Interval(mean=0.9, low=0.37, high=1.0, n=2)
    """
    return _cut(interval, *BOUNDS.get(metric, ANY))


def bounded_difference(metric: str, interval: Interval) -> Interval:
    """Cut the interval of a difference of two values of a metric at the largest difference there can be.

    Example:
        >>> bounded_difference("final_accuracy", Interval(-0.1, -1.3, 1.1, 2))
        Interval(mean=-0.1, low=-1.0, high=1.0, n=2)
    """
    least, largest = BOUNDS.get(metric, ANY)
    return _cut(interval, least - largest, largest - least)


def _cut(interval: Interval, least: float, largest: float) -> Interval:
    if interval.low is None or interval.high is None:
        return interval
    return replace(interval, low=max(interval.low, least), high=min(interval.high, largest))
