"""Hypervolume of the front against the trials that had finished: did the search converge, was the budget enough?"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from reports.data.study_map import StudyMap
from reports.drawing.axes import Frame, axes
from reports.drawing.marks import steps
from reports.drawing.scales import LinearScale, padded
from reports.drawing.svg import figure
from reports.formatting import plural, significant
from studies.statistics.hypervolume import REFERENCE_POINT

CHUNK = 2000  # points that are compared with the front at once
FRAME = Frame(width=960, height=260, left=52, right=16, top=34, bottom=48)


@dataclass(frozen=True)
class Growth:
    """The finished trials at which the hypervolume grew, and its value from each on, (n_steps,) both."""

    trials: list[int]
    values: list[float]
    n_trials: int


def growth(map: StudyMap) -> Growth | None:
    """Follow the hypervolume of quality and compression ratio on the test split in the order trials finished.

    None where these two are not the objectives of the study, which have a fixed reference point.
    """
    if set(map.record.objectives) != {map.quality.final, "compression_ratio"} or not map.is_feasible.any():
        return None
    order = np.lexsort((map.numbers, map.finished))
    order = order[map.is_feasible[order]]
    ratios, losses = map.ratios[order], map.losses[order]
    reference = (REFERENCE_POINT["compression_ratio"], _sign(map) * REFERENCE_POINT[map.quality.final])
    trials, values = _follow(ratios, losses, reference)
    return Growth(trials, values, len(order))


def hypervolume_figure(map: StudyMap, found: Growth) -> Markup:
    """Draw the hypervolume as a staircase."""
    x = LinearScale((0.0, float(max(found.n_trials, 1))), FRAME.x)
    y = LinearScale(padded(min(found.values), max(found.values)), FRAME.y)
    line = [(x(trial), y(value)) for trial, value in zip(found.trials, found.values, strict=True)]
    end = (x(found.n_trials), y(found.values[-1]))
    parts = [
        axes(FRAME, x, y, "trials finished, in that order", "hypervolume"),
        steps([*line, end], "final-line"),
    ]
    return figure("hypervolume", (FRAME.width, FRAME.height), finding(found), caption(map), parts)


def finding(found: Growth) -> str:
    """State when the front grew last."""
    since = found.n_trials - found.trials[-1]
    text = f"Hypervolume {significant(found.values[-1])} after {plural(found.n_trials, 'trial')}"
    return f"{text}; it has not grown in the last {since:,}." if since else f"{text}; the last one made it grow."


def caption(map: StudyMap) -> str:
    """Explain the measure."""
    return (
        f"Area that the front of {map.quality.final} and compression_ratio dominates, up to the reference point "
        f"({REFERENCE_POINT[map.quality.final]:g}, {REFERENCE_POINT['compression_ratio']:g}); larger is better."
    )


def _sign(map: StudyMap) -> float:
    return -1.0 if map.quality.higher_is_better else 1.0


def _follow(
    x: NDArray[np.float64], y: NDArray[np.float64], reference: tuple[float, float]
) -> tuple[list[int], list[float]]:
    """Add points one by one to a front, less is better in both; return where the area grew and to what."""
    front = _Front(reference)
    trials: list[int] = []
    values: list[float] = []
    for start in range(0, len(x), CHUNK):
        part = slice(start, start + CHUNK)
        for i in front.not_dominated(x[part], y[part]).tolist():
            if front.add(float(x[start + i]), float(y[start + i])):
                trials.append(start + i + 1)
                values.append(front.area)
    return trials or [len(x)], values or [0.0]


class _Front:
    """A front of two costs, sorted by the first, and the area it dominates up to a reference point."""

    def __init__(self, reference: tuple[float, float]) -> None:
        self._reference = reference
        self._x: list[float] = []
        self._y: list[float] = []  # descending
        self.area = 0.0

    def not_dominated(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.int_]:
        """Return the indices of the points that the front does not dominate yet, which are few."""
        at = np.searchsorted(self._x, x, side="right")
        levels = np.array([self._reference[1], *self._y])
        return np.flatnonzero((y < levels[at]) & (x < self._reference[0]))

    def add(self, x: float, y: float) -> bool:
        """Add a point, remove those it dominates, and return whether the area grew."""
        start = bisect_right(self._x, x)
        if (self._y[start - 1] if start else self._reference[1]) <= y:
            return False
        while start and self._x[start - 1] == x:
            start -= 1
        end = start
        while end < len(self._x) and self._y[end] >= y:
            end += 1
        # The new area is a strip from this point to the next one that stays, under the levels of those removed.
        edges = [x, *self._x[start:end], self._x[end] if end < len(self._x) else self._reference[0]]
        levels = [self._y[start - 1] if start else self._reference[1], *self._y[start:end]]
        self.area += sum((b - a) * (level - y) for a, b, level in zip(edges, edges[1:], levels, strict=False))
        self._x[start:end], self._y[start:end] = [x], [y]
        return True
