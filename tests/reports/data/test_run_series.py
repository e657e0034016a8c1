"""Series of runs: what varies over seeds is averaged, what does not stays exact."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from reports.data.run_series import RunSeries


def test_a_cost_that_varies_over_seeds_is_averaged() -> None:
    one = RunSeries(
        "s", "s", np.array([3, 3, 7]), np.array([0, 1, 0]), np.array([1.0, 2.0, 5.0]), np.array([0.5, 0.7, 0.9])
    )
    costs, values = one.over_seeds()
    assert costs.tolist() == [1.5, 5.0]
    assert values.tolist() == [0.6, 0.9]


@given(st.floats(1e-300, 1e300), st.integers(1, 9))
def test_a_cost_that_is_the_same_for_every_seed_stays_exact(cost: float, seeds: int) -> None:
    one = RunSeries("s", "s", np.zeros(seeds, dtype=int), np.arange(seeds), np.full(seeds, cost), np.ones(seeds))
    assert one.over_seeds()[0].tolist() == [cost]
