"""The rule at a rung, against a slow obvious version and on cases computed by hand."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from studies.spec.spec import EarlyStopping
from sweeps.search.moasha import Rungs, Score, Scores


@st.composite
def scores_(draw: st.DrawFn) -> list[Score]:
    """Scores with equal points, equal distances and equal violations among them."""
    n_objectives = draw(st.integers(1, 4))
    costs = st.tuples(*[st.integers(0, 5)] * n_objectives)
    return [
        Score(tuple(map(float, point)), float(violation))
        for point, violation in draw(st.lists(st.tuples(costs, st.sampled_from([0, 0, 0, 1, 2])), min_size=1))
    ]


def slow_order(scores: list[Score]) -> list[int]:
    """Order of the scores, each time by looking for the next one among all that are left."""
    left = [i for i, score in enumerate(scores) if score.violation <= 0]
    columns = [sorted({scores[i].costs[k] for i in left}) for k in range(len(scores[0].costs))]
    scaled = {
        i: np.array([c.index(v) / max(len(c) - 1, 1) for v, c in zip(scores[i].costs, columns, strict=True)])
        for i in left
    }
    order: list[int] = []
    while left:
        front = [i for i in left if not any(dominates(scores[j], scores[i]) for j in left)]
        left = [i for i in left if i not in front]
        order += slow_net(front, scaled)
    broken = [i for i, score in enumerate(scores) if score.violation > 0]
    return order + sorted(broken, key=lambda i: scores[i].violation)


def slow_net(front: list[int], scaled: dict[int, np.ndarray]) -> list[int]:
    order = [min(front, key=lambda i: scaled[i][0])]
    while len(order) < len(front):
        rest = [i for i in front if i not in order]
        order.append(max(rest, key=lambda i: min(((scaled[i] - scaled[j]) ** 2).sum() for j in order)))
    return order


def dominates(one: Score, other: Score) -> bool:
    pairs = list(zip(one.costs, other.costs, strict=True))
    return all(a <= b for a, b in pairs) and any(a < b for a, b in pairs)


@given(scores_())
def test_ranks_are_those_of_the_slow_order(scores: list[Score]) -> None:
    at_rung = Scores()
    for number, score in enumerate(scores):
        at_rung.add(number, score)
    assert [at_rung.rank(number) - 1 for number in slow_order(scores)] == list(range(len(scores)))


def test_a_score_that_is_added_again_replaces_the_first() -> None:
    at_rung = Scores()
    for number, cost in ((7, 0.5), (3, 0.6), (7, 0.7)):
        at_rung.add(number, Score((cost, cost)))
    assert (len(at_rung), at_rung.rank(3), at_rung.rank(7)) == (2, 1, 2)


def test_trials_that_keep_the_constraints_come_before_those_that_do_not() -> None:
    at_rung = Scores()
    for number, score in enumerate([Score((0.1,), violation=2.0), Score((0.9,)), Score((0.0,), violation=0.5)]):
        at_rung.add(number, score)
    assert [at_rung.rank(number) for number in range(3)] == [3, 1, 2]


@pytest.mark.parametrize("shape", ["random", "one front", "a cluster on one front"])
def test_a_judgement_among_twenty_thousand_scores_of_two_objectives_takes_a_twentieth_of_a_second(shape: str) -> None:
    n, rng = 20_000, np.random.default_rng(0)
    along = np.sort(rng.random(n)) if shape == "one front" else np.exp(-np.linspace(0, 30, n))
    costs = rng.random((n, 2)) if shape == "random" else np.stack([along, -along], axis=1)[rng.permutation(n)]
    rungs = Rungs(eta=3)
    for number, point in enumerate(costs.tolist()):
        rungs.remember(number, 1, Score(tuple(point)))
    seconds = []
    for number in range(5):
        start = time.thread_time()
        rungs.judge(number, 1, Score(tuple(costs[number])))
        seconds.append(time.thread_time() - start)
    assert min(seconds) < 0.05


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
