"""Choice of the front and of the best configuration."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from studies.statistics.selection import Candidates, front_mask

TRADE_OFF = {"final_accuracy": "maximize", "compression_ratio": "minimize"}


def candidates(**columns: list[float]) -> Candidates:
    """Candidates numbered from 10; what is not given was not measured."""
    n = len(next(iter(columns.values())))

    def values(metric: str) -> NDArray[np.float64]:
        return np.array(columns.get(metric, [np.nan] * n), dtype=float)

    return Candidates(np.arange(10, 10 + n), values, TRADE_OFF)


def test_the_validation_split_decides_where_every_candidate_has_it() -> None:
    values = {
        "final_accuracy": np.array([0.9, 0.8, 0.7]),
        "validation_final_accuracy": np.array([0.7, 0.8, 0.9]),
        "compression_ratio": np.array([0.5, 0.4, 0.4]),
    }
    objectives = {"final_accuracy": "maximize", "compression_ratio": "minimize"}
    assert front_mask(values.__getitem__, objectives).tolist() == [False, False, True]
    values["validation_final_accuracy"][1] = np.nan
    assert front_mask(values.__getitem__, objectives).tolist() == [True, True, False]


def test_a_candidate_without_a_test_value_is_not_on_the_front_and_does_not_decide_the_split() -> None:
    """Its validation value would put it there, and a missing one of it would turn to the test split."""
    values = {
        "final_accuracy": np.array([0.9, 0.8, np.nan]),
        "validation_final_accuracy": np.array([0.7, 0.8, 0.99]),
        "compression_ratio": np.array([0.5, 0.4, 0.1]),
    }
    assert front_mask(values.__getitem__, TRADE_OFF).tolist() == [False, True, False]
    values["validation_final_accuracy"][2] = np.nan
    assert front_mask(values.__getitem__, TRADE_OFF).tolist() == [False, True, False]
    values["final_accuracy"][:] = np.nan
    assert front_mask(values.__getitem__, TRADE_OFF).tolist() == [False, False, False]


def test_the_best_is_the_smaller_of_equals_and_has_a_value_on_both_splits() -> None:
    found = candidates(
        final_accuracy=[0.7, 0.6, 0.9, np.nan],
        validation_final_accuracy=[0.8, 0.8, 0.7, 0.99],
        compression_ratio=[0.5, 0.4, 0.1, 0.1],
    )
    assert (found.best(), found.best_on_front("final_accuracy"), found.best_on_front("compression_ratio")) == (
        11,
        11,
        12,
    )
    unsized = candidates(final_accuracy=[0.7, 0.9])
    assert (unsized.best(), unsized.best_on_front("final_accuracy")) == (11, None)
    assert candidates(final_mse=[0.2, 0.1], compression_ratio=[1.0, 1.0]).best() == 11
    assert candidates(compression_ratio=[1.0, 1.0]).best() is None
