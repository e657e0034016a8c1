"""Progress of a search: the hypervolume of its front, or the best value of each objective, as trials finish.

One module for the trade-off report and the live page, so that both show the same numbers.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from studies.statistics.hypervolume import reference_point

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from reports.data.study_map import StudyMap
    from studies.queries.record import StudyRecord

CHUNK = 2000  # points that are compared with the front at once


@dataclass(frozen=True)
class SearchProgress:
    """A value of a search that can only improve, at the finished configurations that improved it.

    Attributes:
        objective: whose best value it is; None for the hypervolume of all objectives.
        reference: the worst value of each objective that adds to the hypervolume; {} for a best value.
        steps: how many configurations had finished at each improvement, (n_steps,), ascending.
        values: the value from each improvement on, (n_steps,).
        numbers: the configurations that meet the constraints, in the order they finished, (n_trials,).
        seconds: time of the search when each finished, (n_trials,); None where no start was recorded.
        of_each: the objective of each, (n_trials,); None for the hypervolume.
    """

    objective: str | None
    reference: Mapping[str, float]
    steps: NDArray[np.int_]
    values: NDArray[np.float64]
    numbers: NDArray[np.int_]
    seconds: NDArray[np.float64] | None
    of_each: NDArray[np.float64] | None = None

    @property
    def n_trials(self) -> int:
        return len(self.numbers)

    @property
    def total_seconds(self) -> float | None:
        """Time of the search when the last of them finished."""
        return None if self.seconds is None else float(self.seconds[-1])

    @property
    def label(self) -> str:
        return "hypervolume" if self.objective is None else f"best {self.objective}"


def search_progress(map: StudyMap) -> list[SearchProgress]:
    """Follow the hypervolume of two objectives that have a reference point, else the best value of each objective.

    Values are those of the test split, and of configurations that meet the constraints; [] where none has finished.
    """
    import numpy as np

    directions = map.record.objectives
    columns = [map.objectives[name] for name in directions]
    known = map.is_feasible & ~np.isnan(np.array(columns)).any(axis=0) if columns else np.zeros(len(map), dtype=bool)
    order = np.lexsort((map.numbers, map.finished))
    order = order[known[order]]
    if not len(order):
        return []
    numbers, seconds = map.numbers[order], search_seconds(map.record, map.finished[order])
    values = {name: map.objectives[name][order] for name in directions}
    reference = reference_point(directions)
    if reference is None:
        improved = {name: best_steps(each, directions[name]) for name, each in values.items()}
        return [SearchProgress(name, {}, *improved[name], numbers, seconds, values[name]) for name in directions]
    signs = [1.0 if direction == "minimize" else -1.0 for direction in directions.values()]
    first, second = (sign * each for sign, each in zip(signs, values.values(), strict=True))
    worst = [sign * value for sign, value in zip(signs, reference.values(), strict=True)]
    steps, areas = hypervolume_steps(first, second, (worst[0], worst[1]))
    if not steps:  # no configuration is better than the reference
        steps, areas = [len(numbers)], [0.0]
    return [SearchProgress(None, reference, np.array(steps), np.array(areas), numbers, seconds)]


def search_seconds(record: StudyRecord, finished: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Return the time of the search when each trial finished, ascending, (n_trials,); None without a start.

    It counts from the start of the driver that ran the trial, after all that earlier ones took until their last trial:
    pauses between two starts are left out.

    Args:
        finished: seconds since 1970, ascending, (n_trials,).
    """
    import numpy as np

    starts = np.array([launch["started_at"].timestamp() for launch in record.launches])
    if not len(starts) or np.isnan(finished).any():
        return None
    launch = np.maximum(np.searchsorted(starts, finished, side="right") - 1, 0)
    since_start = np.maximum(finished - starts[launch], 0.0)
    longest = np.zeros(len(starts))
    np.maximum.at(longest, launch, since_start)
    before = np.concatenate([[0.0], np.cumsum(longest)[:-1]])
    found: NDArray[np.float64] = before[launch] + since_start
    return found


def hypervolume_steps(
    x: NDArray[np.float64], y: NDArray[np.float64], reference: tuple[float, float]
) -> tuple[list[int], list[float]]:
    """Add points one by one to a front, less is better in both; return after how many the area grew and to what.

    Args:
        x, y: two costs, (n_points,) each.
        reference: point up to which the area counts.

    Returns:
        (n_steps,) both; [] where no point is better than the reference.
    """
    front = _Front(reference)
    steps: list[int] = []
    areas: list[float] = []
    for start in range(0, len(x), CHUNK):
        part = slice(start, start + CHUNK)
        for i in front.not_dominated(x[part], y[part]).tolist():
            if front.add(float(x[start + i]), float(y[start + i])):
                steps.append(start + i + 1)
                areas.append(front.area)
    return steps, areas


def best_steps(values: NDArray[np.float64], direction: str) -> tuple[NDArray[np.int_], NDArray[np.float64]]:
    """Return after how many values the best one so far improved, from 1, and to what; (n_steps,) both."""
    import numpy as np

    sign = 1.0 if direction == "minimize" else -1.0
    lowest = np.minimum.accumulate(sign * values)
    steps = np.concatenate([[1], np.flatnonzero(np.diff(lowest) < 0) + 2])
    return steps, sign * lowest[steps - 1]


class _Front:
    """A front of two costs, sorted by the first, and the area it dominates up to a reference point."""

    def __init__(self, reference: tuple[float, float]) -> None:
        self._reference = reference
        self._x: list[float] = []
        self._y: list[float] = []  # descending
        self.area = 0.0

    def not_dominated(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.int_]:
        """Return the indices of the points, x and y (n_points,) each, that the front does not dominate: a few."""
        import numpy as np

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
