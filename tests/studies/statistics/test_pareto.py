from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from studies.statistics.pareto import hypervolume_2d, pareto_mask

TRADE_OFF = ("maximize", "minimize")
coordinates = st.one_of(st.integers(0, 4).map(float), st.floats(0, 4), st.just(float("nan")))


def arrays(n_objectives: int) -> st.SearchStrategy[NDArray[np.float64]]:
    point = st.tuples(*[coordinates] * n_objectives)
    return st.lists(point, max_size=14).map(lambda points: np.array(points, dtype=float).reshape(-1, n_objectives))


def brute_force(values: NDArray[np.float64], directions: tuple[str, ...]) -> list[bool]:
    signs = [-1 if direction == "maximize" else 1 for direction in directions]
    points = [tuple(sign * x for sign, x in zip(signs, row, strict=True)) for row in values.tolist()]

    def dominates(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
        return all(x <= y for x, y in zip(a, b, strict=True)) and any(x < y for x, y in zip(a, b, strict=True))

    known = [not any(x != x for x in point) for point in points]
    return [
        known[i] and not any(known[j] and dominates(points[j], points[i]) for j in range(len(points)))
        for i in range(len(points))
    ]


def test_front_of_a_trade_off() -> None:
    points = np.array([(0.9, 0.5), (0.8, 0.2), (0.85, 0.6), (0.9, 0.5), (np.nan, 0.1), (0.7, 0.2)])
    assert pareto_mask(points, TRADE_OFF).tolist() == [True, True, False, True, False, False]


def test_one_objective_keeps_the_best() -> None:
    assert pareto_mask(np.array([[3.0], [1.0], [1.0]]), ["minimize"]).tolist() == [False, True, True]


def test_no_points_have_an_empty_front() -> None:
    assert pareto_mask(np.empty((0, 2)), TRADE_OFF).tolist() == []


def test_unknown_direction_is_refused() -> None:
    with pytest.raises(ValueError, match="minimize or maximize, got \\['max'\\]"):
        pareto_mask(np.ones((1, 1)), ["max"])


@given(st.data(), st.integers(1, 4))
def test_front_equals_brute_force(data: st.DataObject, n_objectives: int) -> None:
    values = data.draw(arrays(n_objectives))
    directions = tuple(data.draw(st.sampled_from(["minimize", "maximize"])) for _ in range(n_objectives))
    assert pareto_mask(values, directions).tolist() == brute_force(values, directions)


@given(arrays(2))
def test_front_of_the_front_is_itself(values: NDArray[np.float64]) -> None:
    front = values[pareto_mask(values, TRADE_OFF)]
    assert pareto_mask(front, TRADE_OFF).all()


def test_hypervolume_worked_out_by_hand() -> None:
    points = np.array([(1.0, 3.0), (2.0, 1.0), (2.5, 2.0)])
    assert hypervolume_2d(points, (4, 4), ("minimize", "minimize")) == 3 * 1 + 2 * 2
    assert hypervolume_2d(points * (1, -1), (4, -4), ("minimize", "maximize")) == 7
    assert hypervolume_2d(np.array([(5.0, 0.0), (np.nan, 0.0)]), (4, 4), ("minimize", "minimize")) == 0


@given(arrays(2))
def test_hypervolume_equals_that_of_moocore(values: NDArray[np.float64]) -> None:
    moocore = pytest.importorskip("moocore")
    known = values[~np.isnan(values).any(axis=1)]
    expected = moocore.hypervolume(known, ref=[3.0, 3.5]) if len(known) else 0.0
    assert hypervolume_2d(values, (3.0, 3.5), ("minimize", "minimize")) == pytest.approx(expected, abs=1e-12)


@given(arrays(2))
def test_hypervolume_is_that_of_the_front_in_any_order(values: NDArray[np.float64]) -> None:
    whole = hypervolume_2d(values, (0.0, 4.0), TRADE_OFF)
    assert hypervolume_2d(values[pareto_mask(values, TRADE_OFF)], (0.0, 4.0), TRADE_OFF) == pytest.approx(whole)
    for order in itertools.islice(itertools.permutations(range(len(values))), 3):
        assert hypervolume_2d(values[list(order)], (0.0, 4.0), TRADE_OFF) == pytest.approx(whole)
