"""Attainment surfaces equal those of moocore."""

from __future__ import annotations

import math
from typing import Any

import moocore
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.data.run_series import RunSeries
from reports.figures.attainment import common_seeds, surfaces


def series(points: list[tuple[int, int, float, float]]) -> RunSeries:
    """From (trial, seed, ratio, value)."""
    numbers, seeds, ratios, values = (np.array(column) for column in zip(*points, strict=True))
    return RunSeries("s", "s", numbers, seeds, ratios.astype(float), values.astype(float))


runs = st.lists(
    st.tuples(
        st.integers(0, 9), st.integers(0, 4), st.sampled_from([0.1, 0.2, 0.3, 0.5, 0.9]), st.integers(0, 20).map(float)
    ),
    min_size=1,
    max_size=40,
)


@settings(max_examples=100, deadline=None)
@given(runs)
def test_every_surface_equals_that_of_moocore(points: list[tuple[int, int, float, float]]) -> None:
    found = series(points)
    n = len(set(found.seeds.tolist()))
    sets = np.unique(found.seeds, return_inverse=True)[1] + 1
    order = np.argsort(sets, kind="stable")
    costs = np.column_stack([found.costs, -found.values])[order]
    for level in (0.25, 0.5, 0.75):
        k = math.ceil(level * n - 1e-9)
        expected = moocore.eaf(costs, sets[order], percentiles=[100 * k / n])
        (surface,) = surfaces(found, higher_is_better=True, levels=[level])
        ours = sorted(zip(surface.costs.tolist(), surface.values.tolist(), strict=True))
        assert ours == sorted((float(x), float(-y)) for x, y, *_ in expected)


def test_a_quarter_attains_more_than_three_quarters() -> None:
    rng = np.random.default_rng(0)
    points = [
        (i, s, float(r), float(r + 0.1 * rng.standard_normal()))
        for i, r in enumerate((0.1, 0.3, 0.6))
        for s in range(8)
    ]
    low, middle, high = (surface.values[-1] for surface in surfaces(series(points), higher_is_better=True))
    assert low > middle > high
    assert surfaces(series(points), higher_is_better=False)[0].values[-1] < 0.5


def test_one_seed_has_a_single_staircase() -> None:
    found = surfaces(series([(0, 0, 0.1, 0.5), (1, 0, 0.2, 0.4), (2, 0, 0.3, 0.9)]), higher_is_better=True)
    for surface in found:
        assert surface.costs.tolist() == [0.1, 0.3]
        assert surface.values.tolist() == [0.5, 0.9]


def test_a_seed_that_few_configurations_have_is_left_out() -> None:
    points: list[Any] = [(i, s, 0.1 * (i + 1), 0.5) for i in range(10) for s in (0, 1)] + [(0, 2, 0.1, 0.99)]
    assert set(common_seeds(series(points)).seeds.tolist()) == {0, 1}


def test_levels_are_shares_of_seeds() -> None:
    points = [(0, seed, 0.1, float(seed)) for seed in range(4)]
    assert [surface.values[0] for surface in surfaces(series(points), True)] == pytest.approx([3.0, 2.0, 1.0])
