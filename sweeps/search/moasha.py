"""Which trials go on at a rung: successive halving under several objectives, asynchronously.

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
    """What a trial is worth at a rung.

    Attributes:
        costs: one number per objective, turned so that less is better.
        violation: how far its constraints are from being kept, summed; 0 where all are.
    """

    costs: tuple[float, ...]
    violation: float = 0.0


@dataclass(frozen=True)
class Verdict:
    """Whether a trial goes on, and its place (from 1) among the n that have reached the rung so far."""

    continues: bool
    place: int
    n: int
    n_continuing: int


class Rungs:
    """The scores at each rung, and the rule that the best 1/eta of those seen so far go on.

    Differs from the papers: a trial that does not go on is stopped and not paused (as the stopping variants in Ray and
    Syne Tune do), so that no checkpoint waits for a promotion that may never come.
    """

    def __init__(self, eta: float) -> None:
        self._eta = eta
        self._scores: dict[int, dict[int, Score]] = {}

    def remember(self, number: int, rung: int, score: Score) -> None:
        """A trial that reached a rung before, whatever was decided."""
        self._scores.setdefault(rung, {})[number] = score

    def judge(self, number: int, rung: int, score: Score) -> Verdict:
        """Note the score of a trial at a rung, and decide."""
        self.remember(number, rung, score)
        at_rung = self._scores[rung]
        numbers = list(at_rung)
        place = 1 + ranking(list(at_rung.values())).index(numbers.index(number))
        n_continuing = -int(-len(numbers) // self._eta)
        return Verdict(place <= n_continuing, place, len(numbers), n_continuing)


def ranking(scores: Sequence[Score]) -> list[int]:
    """The positions of the scores from best to worst.

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
    """The points of each non-dominated rank: the front, the front of the rest, and so on.

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
    """An order in which every beginning covers the points well: the farthest from those before comes next.

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
    """Each objective as its rank in [0, 1]: an error in percent and a ratio over decades then weigh the same."""
    import numpy as np

    if not len(costs):
        return costs.reshape(0, 1)
    ordered = [np.unique(column, return_inverse=True) for column in costs.T]
    return np.stack([inverse / max(len(values) - 1, 1) for values, inverse in ordered], axis=1)
