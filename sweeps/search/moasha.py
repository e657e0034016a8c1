"""Asynchronous successive halving under several objectives.

After MO-ASHA: Schmucker et al., "Multi-objective asynchronous successive halving" (2021),
https://arxiv.org/abs/2106.12639. With one objective it is ASHA: Li et al., "A system for massively parallel
hyperparameter tuning" (MLSys 2020), https://arxiv.org/abs/1810.05934.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING

from studies.statistics.dominance import depths
from sweeps.search.epsilon_net import epsilon_net

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
        self._scores: dict[int, Scores] = {}

    def remember(self, number: int, rung: int, score: Score) -> None:
        """Add the score of a trial that reached a rung before, whatever was decided."""
        self._scores.setdefault(rung, Scores()).add(number, score)

    def judge(self, number: int, rung: int, score: Score) -> Verdict:
        """Add the score of a trial at a rung, and decide whether it continues."""
        self.remember(number, rung, score)
        at_rung = self._scores[rung]
        rank = at_rung.rank(number)
        n_continuing = -int(-len(at_rung) // self._eta)
        return Verdict(rank <= n_continuing, rank, len(at_rung), n_continuing)


class Scores:
    """Scores at one rung, and the rank of each.

    Trials that keep all constraints come first, by the number of fronts before them, and within one front in the order
    of an epsilon-net; those that do not follow, the least violation first. Equal ones come in the order of addition.
    """

    def __init__(self) -> None:
        self._places: dict[int, int] = {}
        self._costs = array("d")  # of all trials, one after the other
        self._violations = array("d")

    def __len__(self) -> int:
        return len(self._places)

    def add(self, number: int, score: Score) -> None:
        """Add the score of a trial, or replace it; all scores have the same number of objectives."""
        place = self._places.setdefault(number, len(self._places))
        n_objectives = len(score.costs)
        self._costs[place * n_objectives : (place + 1) * n_objectives] = array("d", score.costs)
        self._violations[place : place + 1] = array("d", [score.violation])

    def rank(self, number: int) -> int:
        """Rank of a trial, from 1."""
        import numpy as np

        violations = np.array(self._violations)
        keeps = violations <= 0
        place, n_keeping = self._places[number], int(keeps.sum())
        if not keeps[place]:
            before = ~keeps & (violations < violations[place])
            equal = violations[:place] == violations[place]
            return n_keeping + int(before.sum()) + int(equal.sum()) + 1
        costs = np.array(self._costs).reshape(len(violations), -1)[keeps]
        return _rank_among_feasible(costs, int(keeps[:place].sum()))


def _rank_among_feasible(costs: NDArray[np.float64], place: int) -> int:
    """Rank, from 1, of one of the points, (n_points, n_objectives)."""
    import numpy as np

    fronts_before = depths(costs)
    front = np.flatnonzero(fronts_before == fronts_before[place])
    order = front[epsilon_net(_scaled_ranks(costs)[front])]
    return int((fronts_before < fronts_before[place]).sum()) + int(np.flatnonzero(order == place)[0]) + 1


def _scaled_ranks(costs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rank each objective, scaled to [0, 1]: errors in percent and ratios over decades then have equal weight."""
    import numpy as np

    ordered = [np.unique(column, return_inverse=True) for column in costs.T]
    return np.stack([inverse / max(len(values) - 1, 1) for values, inverse in ordered], axis=1)
