from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import trim_mean

from hnet_core.errors import ConfigInvalid
from studies.statistics.bootstrap import bootstrap_interval, iqm
from studies.statistics.interval import Interval

RUNS = [0.90, 0.92, 0.97, 0.91]


def test_interquartile_mean_drops_a_quarter_at_each_end() -> None:
    assert iqm([100.0, 1.0, 2.0, -50.0, 4.0]) == pytest.approx((1 + 2 + 4) / 3), "floor(5 / 4) = 1 at each end"
    assert iqm([[1.0, 2.0, 3.0, 9.0], [0.0, 0.0, 4.0, 8.0]]).tolist() == [2.5, 2.0]
    assert iqm([7.0]) == 7.0


@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=30))
def test_interquartile_mean_is_the_trimmed_mean_of_scipy(values: list[float]) -> None:
    assert iqm(values) == pytest.approx(trim_mean(values, 0.25), abs=1e-9)


def test_bootstrap_is_the_same_for_the_same_seed_and_another_for_another() -> None:
    first = bootstrap_interval(RUNS, seed=1)
    assert first == bootstrap_interval(RUNS, seed=1)
    assert bootstrap_interval(RUNS, seed=1, draws=99) != bootstrap_interval(RUNS, seed=2, draws=99)
    assert first.mean == pytest.approx(np.mean(RUNS))
    assert min(RUNS) <= first.low < first.mean < first.high <= max(RUNS)  # type: ignore[operator]


def test_bootstrap_of_three_runs_against_all_27_resamples() -> None:
    values = [0.1, 0.2, 0.6]
    means = [np.mean([a, b, c]) for a in values for b in values for c in values]
    found = bootstrap_interval(values, draws=40_000, confidence=0.8)
    # The distribution has steps of at least 1/27; away from one, the quantile of the draws is exact.
    assert [found.low, found.high] == pytest.approx(np.quantile(means, [0.1, 0.9], method="inverted_cdf").tolist())


def test_bootstrap_draws_whole_runs_and_not_cells() -> None:
    tasks_of_a_run_agree = np.repeat([[0.5], [0.7], [0.9]], 50, axis=1)
    whole = bootstrap_interval(tasks_of_a_run_agree, iqm)
    one_task = bootstrap_interval([0.5, 0.7, 0.9])
    assert whole.n == 3
    assert whole.high - whole.low > 0.7 * (one_task.high - one_task.low)  # type: ignore[operator]


def test_bootstrap_leaves_out_runs_without_a_value_and_refuses_fewer_than_three() -> None:
    assert bootstrap_interval([*RUNS, None]) == bootstrap_interval([*RUNS, float("nan")]) == bootstrap_interval(RUNS)
    with pytest.raises(ConfigInvalid, match="at least 3 runs, got 2; use the t interval"):
        bootstrap_interval([0.1, 0.2, None])
    assert isinstance(bootstrap_interval(RUNS), Interval)
