from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from studies.metrics import METRICS
from studies.statistics import Interval, summarise, t_interval, t_quantile

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


@pytest.mark.slow
@pytest.mark.parametrize("n", [3, 5, 10])
def test_interval_covers_the_true_mean_in_95_of_100_studies(n: int) -> None:
    rng = np.random.default_rng(7)
    intervals = [t_interval(rng.normal(0.9, 0.02, n).tolist()) for _ in range(4000)]
    covered = np.mean([i.low <= 0.9 <= i.high for i in intervals])  # type: ignore[operator]
    assert covered == pytest.approx(0.95, abs=0.012)  # 3.5 standard errors of 4000 draws


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
