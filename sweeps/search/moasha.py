"""Asynchronous successive halving under several objectives.

After MO-ASHA: Schmucker et al., "Multi-objective asynchronous successive halving" (2021),
https://arxiv.org/abs/2106.12639. With one objective it is ASHA: Li et al., "A system for massively parallel
hyperparameter tuning" (MLSys 2020), https://arxiv.org/abs/1810.05934.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Score:
    """Objectives and constraint violation of a trial at a rung.

    Attributes:
        costs: one number per objective, negated where more is better.
        violation: sum of its constraint violations; 0 if all are kept.
    """

    costs: tuple[float, ...]
    violation: float = 0.0


@dataclass(frozen=True)
class Verdict:
    """Decision for a trial at a rung.

    Attributes:
        rank: from 1, among the `n` trials that have reached the rung so far.
        n_continuing: number of those that may continue.
    """

    continues: bool
    rank: int
    n: int
    n_continuing: int


class Rungs:
    """Scores at each rung, and the rule that the best 1/eta of those seen so far continue.

    Differs from the papers: the others are stopped, not paused (as in the stopping variants of Ray and Syne Tune), so
    that no checkpoint waits for a promotion that may never come.
    """

    def __init__(self, eta: float) -> None:
        self._eta = eta
        self._scores: dict[int, dict[int, Score]] = {}

    def remember(self, number: int, rung: int, score: Score) -> None:
        """Add the score of a trial that reached a rung before, whatever was decided."""
        self._scores.setdefault(rung, {})[number] = score

    def judge(self, number: int, rung: int, score: Score) -> Verdict:
        """Add the score of a trial at a rung, and decide whether it continues."""
        self.remember(number, rung, score)
        at_rung = self._scores[rung]
        numbers = list(at_rung)
        rank = 1 + ranking(list(at_rung.values())).index(numbers.index(number))
        n_continuing = -int(-len(numbers) // self._eta)
        return Verdict(rank <= n_continuing, rank, len(numbers), n_continuing)


def ranking(scores: Sequence[Score]) -> list[int]:
    """Order of the scores: their positions from best to worst.

    Those that keep all constraints come first, by non-dominated rank, and within one rank in the order of an
    epsilon-net; those that do not follow, the least violation first.
    """
    import numpy as np

    feasible = [i for i, score in enumerate(scores) if score.violation <= 0]
    costs = _ranks(np.array([scores[i].costs for i in feasible], dtype=float))
    best = [feasible[i] for front in fronts(costs) for i in front[epsilon_net(costs[front])]]
    others = [i for i, score in enumerate(scores) if score.violation > 0]
    return best + sorted(others, key=lambda i: scores[i].violation)


def fronts(costs: NDArray[np.float64]) -> list[NDArray[np.int_]]:
    """Indices of the points of each non-dominated rank: the front, the front of the rest, and so on.

    Args:
        costs: (n_points, n_objectives), less is better.
    """
    import numpy as np

    no_worse: NDArray[np.bool_] = np.all(costs[:, None, :] <= costs[None, :, :], axis=2)
    dominates = no_worse & ~no_worse.T  # (n, n): at least as good everywhere and not equal
    dominated_by = dominates.sum(axis=0)
    found, left = [], np.ones(len(costs), dtype=bool)
    while left.any():
        front = np.flatnonzero(left & (dominated_by == 0))
        found.append(front)
        left[front] = False
        dominated_by -= dominates[front].sum(axis=0)
    return found


def epsilon_net(points: NDArray[np.float64]) -> list[int]:
    """Order in which every prefix covers the points well: the next is the one farthest from those before.

    It starts with the best in the first objective. Salinas et al., "A multi-objective perspective on jointly tuning
    hardware and hyperparameters" (2021), https://arxiv.org/abs/2106.05680.

    Args:
        points: (n_points, n_objectives).
    """
    import numpy as np

    if not len(points):
        return []
    order = [int(points[:, 0].argmin())]
    distance = np.linalg.norm(points - points[order[0]], axis=1)
    while len(order) < len(points):
        distance[order] = -1.0
        order.append(int(distance.argmax()))
        distance = np.minimum(distance, np.linalg.norm(points - points[order[-1]], axis=1))
    return order


def _ranks(costs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rank each objective, scaled to [0, 1]: errors in percent and ratios over decades then have equal weight."""
    import numpy as np

    if not len(costs):
        return costs.reshape(0, 1)
    ordered = [np.unique(column, return_inverse=True) for column in costs.T]
    return np.stack([inverse / max(len(values) - 1, 1) for values, inverse in ordered], axis=1)
