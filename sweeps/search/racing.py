"""Racing: whether a finished trial dominates all that a running one can still become."""

from __future__ import annotations

from collections.abc import Sequence

from studies.statistics.pareto import pareto_mask

Costs = tuple[float, ...]


class FinishedFront:
    """Front of the finished trials that keep all constraints; less is better in every objective.

    What dominates a point is on the front, or is itself dominated by a trial there, which then dominates the point too.
    So a question visits the front alone, except one about a trial on the front: without it others may be there.
    """

    def __init__(self) -> None:
        self._costs: dict[int, Costs] = {}
        self._front: set[int] | None = None  # None: not known, since trials were added in bulk or changed

    def add(self, number: int, costs: Costs | None) -> None:
        """Add a finished trial, or replace it by what further seeds have shown; None if it breaks a constraint."""
        if self._costs.pop(number, None) is not None:
            self._front = None
        if costs is None:
            return
        self._costs[number] = costs
        if self._front is not None and not any(dominates(self._costs[one], costs) for one in self._front):
            self._front = {one for one in self._front if not dominates(costs, self._costs[one])} | {number}

    def dominates(self, costs: Costs, but: int) -> bool:
        """Return whether a finished trial other than `but` dominates a point."""
        if self._front is None:
            self._front = self._read_front()
        others = self._costs if but in self._front else self._front
        return any(dominates(self._costs[one], costs) for one in others if one != but)

    def _read_front(self) -> set[int]:
        import numpy as np

        if not self._costs:
            return set()
        points = np.array(list(self._costs.values()))
        is_best = pareto_mask(points, ["minimize"] * points.shape[1])
        return {number for number, best in zip(self._costs, is_best, strict=True) if best}


def dominates(costs: Sequence[float], others: Sequence[float]) -> bool:
    """Return whether a point is at least as good as another in every objective and better in one."""
    pairs = list(zip(costs, others, strict=True))
    return all(mine <= other for mine, other in pairs) and any(mine < other for mine, other in pairs)
