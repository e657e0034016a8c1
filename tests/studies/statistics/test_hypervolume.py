"""The reference of a hypervolume: fixed where the metric has a worst value, else a tenth above the largest cost."""

from __future__ import annotations

import pytest

from studies.metrics.cost_axes import COST_AXES
from studies.statistics.hypervolume import front_hypervolume, reference_cost

FRONT = [{"final_accuracy": 0.5, "seconds": 10.0}, {"final_accuracy": 0.9, "seconds": 20.0}]
GOALS = {"final_accuracy": "maximize", "seconds": "minimize"}


def test_a_ratio_and_forgetting_have_a_fixed_reference() -> None:
    assert reference_cost(COST_AXES["compression_ratio"], 17.0) == 2.0
    assert reference_cost(COST_AXES["forgetting_first"], 0.1) == 1.0


def test_a_cost_without_a_worst_value_has_one_a_tenth_above_the_largest() -> None:
    assert reference_cost(COST_AXES["seconds"], 20.0) == pytest.approx(22.0)


def test_costs_that_are_all_zero_have_none() -> None:
    assert reference_cost(COST_AXES["memory_bytes"], 0.0) is None


def test_the_area_goes_up_to_the_reference_that_is_given() -> None:
    assert front_hypervolume(FRONT, GOALS) is None
    found = front_hypervolume(FRONT, GOALS, {"seconds": 30.0})
    assert found is not None
    assert found["value"] == pytest.approx(10 * 0.5 + 10 * 0.9)
    assert found["share"] == pytest.approx(found["value"] / 30)


def test_a_fixed_reference_cannot_be_replaced() -> None:
    front = [{"final_accuracy": 0.5, "compression_ratio": 1.0}]
    goals = {"final_accuracy": "maximize", "compression_ratio": "minimize"}
    assert front_hypervolume(front, goals) == front_hypervolume(front, goals, {"compression_ratio": 9.0})
