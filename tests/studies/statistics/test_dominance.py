"""Fronts before each point, by definition."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from studies.statistics.dominance import depths, distinct


@st.composite
def costs_(draw: st.DrawFn) -> np.ndarray:
    n_objectives = draw(st.integers(1, 5))
    points = draw(st.lists(st.tuples(*[st.integers(-3, 3)] * n_objectives), max_size=30))
    return np.array(points, dtype=float).reshape(-1, n_objectives)


def slow_depths(costs: np.ndarray) -> list[int]:
    depth = [-1] * len(costs)
    level = 0
    while -1 in depth:
        left = [i for i, known in enumerate(depth) if known == -1]
        for i in left:
            if not any((costs[j] <= costs[i]).all() and (costs[j] < costs[i]).any() for j in left):
                depth[i] = level
        level += 1
    return depth


@given(costs_())
def test_depths_count_the_fronts_that_are_taken_away_before_a_point(costs: np.ndarray) -> None:
    assert depths(costs).tolist() == slow_depths(costs)


@given(costs_())
def test_distinct_points_are_those_of_numpy(costs: np.ndarray) -> None:
    points, which = distinct(costs)
    expected, inverse = np.unique(costs, axis=0, return_inverse=True)
    assert points.tolist() == expected.tolist()
    assert which.tolist() == inverse.reshape(-1).tolist()


@pytest.mark.parametrize("n_objectives", [2, 3])
def test_a_long_front_needs_no_comparison_of_all_pairs(n_objectives: int) -> None:
    """Of 50,000 points the pairs would be 10^9."""
    points = np.random.default_rng(0).random((50_000, n_objectives))
    on_one_front = points / points.sum(axis=1, keepdims=True)
    assert depths(on_one_front).max() == 0
