"""The rule at a rung, against a slow obvious version and on cases computed by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from studies.spec.spec import EarlyStopping
from sweeps.search.moasha import Rungs, Score, epsilon_net, fronts, ranking

POINTS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=14)


def slow_rank(costs: np.ndarray) -> list[int]:
    """Non-dominated rank of each point, by definition."""
    rank = [-1] * len(costs)
    level = 0
    while -1 in rank:
        left = [i for i, r in enumerate(rank) if r == -1]
        for i in left:
            if not any((costs[j] <= costs[i]).all() and (costs[j] < costs[i]).any() for j in left):
                rank[i] = level
        level += 1
    return rank


@given(POINTS)
def test_fronts_are_the_non_dominated_ranks(points: list[tuple[int, int]]) -> None:
    costs = np.array(points, dtype=float)
    found = [-1] * len(costs)
    for level, front in enumerate(fronts(costs)):
        for i in front:
            found[i] = level
    assert found == slow_rank(costs)


@given(POINTS)
def test_no_point_comes_before_one_that_dominates_it(points: list[tuple[int, int]]) -> None:
    costs = np.array(points, dtype=float)
    order = ranking([Score(tuple(map(float, point))) for point in points])
    assert sorted(order) == list(range(len(points)))
    ranks = slow_rank(costs)
    assert [ranks[i] for i in order] == sorted(ranks)


def test_an_epsilon_net_takes_the_ends_first_and_then_the_middle() -> None:
    line = np.array([[0.1, 0.9], [0.0, 1.0], [0.5, 0.5], [1.0, 0.0], [0.9, 0.1]])
    assert epsilon_net(line)[:3] == [1, 3, 2]
    assert sorted(epsilon_net(line)) == list(range(5))
    assert epsilon_net(line[:0]) == []


def test_trials_that_keep_the_constraints_come_before_those_that_do_not() -> None:
    scores = [Score((0.1, 0.1), violation=2.0), Score((0.9, 0.9)), Score((0.0, 0.0), violation=0.5)]
    assert ranking(scores) == [1, 2, 0]


def test_with_one_objective_the_best_third_continues() -> None:
    rungs = Rungs(eta=3)
    verdicts = [rungs.judge(number, 1, Score((cost,))) for number, cost in enumerate([0.5, 0.6, 0.4, 0.45, 0.3, 0.7])]
    assert [verdict.continues for verdict in verdicts] == [True, False, True, True, True, False]
    assert (verdicts[3].rank, verdicts[3].n, verdicts[3].n_continuing) == (2, 4, 2)


def test_remembered_scores_count_and_rungs_are_independent() -> None:
    rungs = Rungs(eta=2)
    for number in range(4):
        rungs.remember(number, 2, Score((0.1 * number, 0.0)))
    assert not rungs.judge(9, 2, Score((0.9, 0.0))).continues
    assert rungs.judge(9, 4, Score((0.9, 0.0))).continues


@pytest.mark.parametrize(
    ("eta", "rungs", "n_tasks", "expected"),
    [(3, None, 10, (1, 3, 9)), (2, None, 10, (1, 2, 4, 8)), (3, None, 1, ()), (3, (2, 5, 10), 10, (2, 5))],
)
def test_rungs_grow_by_eta_and_the_end_is_none(
    eta: float, rungs: tuple[int, ...] | None, n_tasks: int, expected: tuple[int, ...]
) -> None:
    assert EarlyStopping(eta=eta, rungs=rungs).of_tasks((1,) * n_tasks) == expected


@pytest.mark.parametrize(
    ("eta", "iterations", "n_tasks", "expected"),
    [(3, 900, 5, (100, 300, 900, 2700)), (3, 900, 1, (100, 300)), (100, 20, 5, (1,)), (2, 3, 2, (1, 2, 4))],
)
def test_rungs_in_iterations_begin_within_the_first_task(
    eta: float, iterations: int, n_tasks: int, expected: tuple[int, ...]
) -> None:
    assert EarlyStopping(eta=eta, unit="iterations").of_tasks((iterations,) * n_tasks) == expected
