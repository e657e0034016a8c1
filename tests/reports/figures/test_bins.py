"""Bins hold every configuration once and show how many they hold."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.data.run_series import RunSeries, means_of
from reports.figures.bins import bin_edges, bins
from tests.reports.cases import make_study_data, make_trial


def series(ratios: list[float], values: list[float]) -> RunSeries:
    """Two seeds per configuration, 0.1 apart around its value."""
    n = len(ratios)
    return RunSeries(
        "s", "s", np.repeat(np.arange(n), 2), np.tile([0, 1], n), np.repeat(ratios, 2),
        np.repeat(values, 2) + np.tile([-0.05, 0.05], n),
    )  # fmt: skip


@given(st.lists(st.floats(1e-3, 10), min_size=1, max_size=60))
def test_every_configuration_is_in_one_bin(ratios: list[float]) -> None:
    one = series(ratios, [0.5] * len(ratios))
    edges = bin_edges(np.array(ratios))
    found = bins(one, edges)
    assert sum(bin.n for bin in found) == len(ratios)
    assert all(low < high for low, high in pairwise(edges))


def test_a_bin_shows_mean_and_deviation_over_configurations_not_over_seeds() -> None:
    found = bins(series([0.1, 0.11, 0.12, 1.0], [0.2, 0.4, 0.6, 0.9]), np.array([0.09, 0.5, 1.1]))
    assert [(one.n, pytest.approx(one.mean)) for one in found] == [(3, 0.4), (1, 0.9)]
    assert found[0].std == pytest.approx(np.std([0.2, 0.4, 0.6], ddof=1))
    assert found[1].std is None
    assert (found[0].low, found[0].high) == (0.09, 0.5)


def test_equal_ratios_make_one_bin() -> None:
    assert len(bins(series([0.5] * 20, [0.1] * 20), bin_edges(np.full(20, 0.5)))) == 1


def test_means_over_seeds_stand_in_where_runs_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    data = make_study_data([make_trial(i, 0.1 * (i + 1), 0.5 + 0.01 * i) for i in range(9)])
    assert not data.has_too_many_runs
    monkeypatch.setattr("reports.data.study_data.MAX_RUNS", 20)
    assert data.has_too_many_runs
    during, final = means_of(data)
    assert final.over_seeds()[1].tolist() == pytest.approx([0.5 + 0.01 * i for i in range(9)])
    assert during.label == "during"


@given(st.lists(st.one_of(st.just(0.0), st.floats(1e-3, 10)), min_size=1, max_size=40))
def test_a_cost_of_zero_has_a_bin_of_its_own(costs: list[float]) -> None:
    one = series(costs, [0.5] * len(costs))
    found = bins(one, bin_edges(np.array(costs)))
    assert sum(bin.n for bin in found) == len(costs)
    assert [bin.n for bin in found if bin.low == bin.high == 0] == ([costs.count(0.0)] if 0.0 in costs else [])


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=40))
def test_costs_that_can_be_negative_are_binned_by_equal_differences(costs: list[float]) -> None:
    edges = bin_edges(np.array(costs), is_log=False)
    assert np.diff(edges) == pytest.approx(np.full(len(edges) - 1, edges[1] - edges[0]))
    assert sum(bin.n for bin in bins(series(costs, [0.5] * len(costs)), edges)) == len(costs)
