from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hnet_core.errors import ConfigInvalid
from studies.metrics.definitions import METRICS
from studies.statistics.interval import Interval
from studies.statistics.intervals import (
    bounded,
    few_seeds_remark,
    interval_of,
    over_seeds,
    summarise,
    t_interval,
    t_quantile,
)

values = st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=20)


def test_interval_of_three_seeds_worked_out_by_hand() -> None:
    interval = t_interval([0.90, 0.92, 0.97])
    assert interval.mean == pytest.approx(0.93)
    assert interval.n == 3
    half = 4.302653 * math.sqrt((0.03**2 + 0.01**2 + 0.04**2) / 2) / math.sqrt(3)
    assert interval.low == pytest.approx(0.93 - half, abs=1e-7)
    assert interval.high == pytest.approx(0.93 + half, abs=1e-7)


@pytest.mark.parametrize(("n", "quantile"), [(2, 12.706), (3, 4.303), (5, 2.776), (10, 2.262), (20, 2.093)])
def test_quantiles_are_those_of_the_textbook(n: int, quantile: float) -> None:
    assert float(t_quantile(n)) == pytest.approx(quantile, abs=5e-4)


def test_too_few_seeds_have_no_bounds() -> None:
    assert t_interval([]) == t_interval([None, math.nan]) == Interval(None, None, None, 0)
    assert t_interval([None, 0.5]) == Interval(0.5, None, None, 1)
    assert t_interval([0.5]).to_dict() == {"mean": 0.5, "low": None, "high": None, "n": 1}


def test_equal_seeds_have_an_interval_without_width() -> None:
    assert t_interval([0.1, 0.1, 0.1]) == Interval(pytest.approx(0.1), pytest.approx(0.1), pytest.approx(0.1), 3)


def test_error_and_deviation_are_given_only_by_name() -> None:
    runs = [0.90, 0.92, 0.97, None]
    deviation = math.sqrt((0.03**2 + 0.01**2 + 0.04**2) / 2)
    assert interval_of(runs) == interval_of(runs, "t95") == t_interval(runs)
    assert interval_of(runs, "std").high == pytest.approx(0.93 + deviation)
    assert interval_of(runs, "sem").low == pytest.approx(0.93 - deviation / math.sqrt(3))
    assert interval_of(runs, "bootstrap").n == 3
    assert interval_of([0.5], "std") == Interval(0.5, None, None, 1)
    with pytest.raises(ConfigInvalid, match="one of t95, sem, std, bootstrap, got 'ci'"):
        interval_of(runs, "ci")


def test_published_standard_error_is_the_deviation_over_the_root_of_n() -> None:
    """von Oswald et al. (2020), Table 1: 97.57 with SEM 0.02 over 20 runs is a deviation of 0.089."""
    runs = [97.57 + 0.0872, 97.57 - 0.0872] * 10  # ddof = 1 makes this a deviation of 0.0895
    sem, std = interval_of(runs, "sem"), interval_of(runs, "std")
    assert sem.high - sem.mean == pytest.approx(0.02, abs=5e-5)  # type: ignore[operator]
    assert std.high - std.mean == pytest.approx(0.0894, abs=1e-4)  # type: ignore[operator]


@given(values)
def test_interval_is_centred_on_the_mean_and_does_not_depend_on_order(sample: list[float]) -> None:
    interval = t_interval(sample)
    assert interval.mean is not None
    assert interval.low is not None
    assert interval.high is not None
    scale = max(1.0, *(abs(value) for value in sample))
    assert interval.mean == pytest.approx(float(np.mean(sample)), abs=1e-9 * scale)
    assert interval.low + interval.high == pytest.approx(2 * interval.mean, abs=1e-6 * scale)
    assert t_interval(sample[::-1]) == interval


@given(values, st.floats(0.1, 100), st.floats(-1e3, 1e3))
def test_interval_follows_a_change_of_unit(sample: list[float], scale: float, shift: float) -> None:
    before, after = t_interval(sample), t_interval([scale * value + shift for value in sample])
    assert before.low is not None
    size = scale * max(1.0, *(abs(value) for value in sample)) + abs(shift)
    assert after.low == pytest.approx(scale * before.low + shift, abs=1e-6 * size)


@given(values)
def test_more_confidence_is_a_wider_interval(sample: list[float]) -> None:
    narrow, wide = t_interval(sample, 0.8), t_interval(sample, 0.99)
    assert wide.low <= narrow.low <= narrow.high <= wide.high  # type: ignore[operator]


@given(st.floats(1e-9, 1e6), st.integers(2, 6))
def test_runs_that_differ_by_rounding_have_an_interval_without_width(value: float, n: int) -> None:
    runs = [value * (1 + place * 2.3e-16) for place in range(n)]
    interval = t_interval(runs)
    assert interval.low == interval.high == interval.mean
    _, low, high = over_seeds(np.zeros(n, dtype=int), np.array(runs))
    assert low[0] == high[0]
    assert Interval(value, value * (1 - 1e-15), value * (1 + 1e-15), n).range_text() is None, "as older databases hold"


def test_a_difference_of_accuracies_is_compared_with_the_size_of_an_accuracy() -> None:
    """A forgetting of 0 is the difference of two numbers near 1, which rounding makes 1e-17."""
    assert not bounded("forgetting", Interval(1e-17, -3e-17, 5e-17, 3)).has_width
    assert bounded("final_mse", Interval(1e-17, 0.5e-17, 1.5e-17, 3)).has_width


BOUNDED = [name for name in METRICS if math.isfinite(METRICS[name].lowest) or math.isfinite(METRICS[name].highest)]


@given(st.sampled_from(BOUNDED), st.lists(st.floats(0, 1), min_size=2, max_size=6))
def test_an_interval_ends_at_the_bounds_of_its_metric(name: str, shares: list[float]) -> None:
    lowest = max(METRICS[name].lowest, -10)
    highest = min(METRICS[name].highest, lowest + 5)
    plain = t_interval([lowest + share * (highest - lowest) for share in shares])
    found = bounded(name, plain)
    assert found.mean is not None and found.low is not None and found.high is not None
    assert METRICS[name].lowest - 1e-12 <= found.low <= found.mean + 1e-12
    assert found.mean - 1e-12 <= found.high <= METRICS[name].highest + 1e-12
    for end, before in ((found.low, plain.low), (found.high, plain.high)):
        assert end == before or end in (METRICS[name].lowest, METRICS[name].highest, found.mean)


@pytest.mark.parametrize(
    ("interval", "mean", "range_"),
    [
        (Interval(0.125, 0.125 - 1e-16, 0.125 + 1e-16, 3), None, None),
        (Interval(0.004, -0.3, 0.308, 3), "0.004", "[-0.300, 0.308]"),
        (Interval(3.2e-10, 3.05e-10, 3.35e-10, 3), "3.20e-10", "[3.05e-10, 3.35e-10]"),
        (Interval(2e-10, 0.0, 4e-10, 3), "2.0e-10", "[0, 4.0e-10]"),
        (Interval(0.0, -0.2, 0.2, 3), "0.00", "[-0.20, 0.20]"),
        (Interval(-0.0001, -0.2, 0.0, 3), "-0.0001", "[-0.2000, 0.0000]"),
    ],
)
def test_a_mean_has_a_digit_and_rounding_has_none(interval: Interval, mean: str | None, range_: str | None) -> None:
    assert (interval.mean_text(), interval.range_text()) == (mean, range_)


@given(st.floats(1e-15, 1e6), st.floats(1e-6, 10))
def test_a_mean_that_is_not_zero_is_not_shown_as_zero(mean: float, relative: float) -> None:
    text = Interval(mean, mean * (1 - relative), mean * (1 + relative), 3).mean_text()
    assert text is not None
    assert float(text) == pytest.approx(mean, rel=0.5)


def test_an_interval_in_percent_ends_at_100() -> None:
    assert bounded("final_accuracy", Interval(99.0, 97.0, 101.0, 3), 100).high == 100


def test_two_seeds_are_said_to_show_nothing() -> None:
    assert few_seeds_remark([3, 1, 5]) is None
    assert "two seeds" in str(few_seeds_remark([3, 2]))
    assert f"{float(t_quantile(2)):.1f} standard errors" in str(few_seeds_remark([2]))


def test_summary_gives_intervals_and_plain_counts() -> None:
    runs = [dict.fromkeys(METRICS, 1.0) | {"model_weights": 300, "forgetting": None} for _ in range(2)]
    runs[0]["final_accuracy"] = 0.5
    summary = summarise(runs)
    assert list(summary) == list(METRICS)
    assert summary["model_weights"] == 300
    assert summary["forgetting"] == {"mean": None, "low": None, "high": None, "n": 0}
    assert summary["final_accuracy"]["mean"] == 0.75
    assert summary["final_accuracy"]["n"] == 2
    assert summary["compression_ratio"] == {"mean": 1.0, "low": 1.0, "high": 1.0, "n": 2}
