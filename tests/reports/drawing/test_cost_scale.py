"""The cost axis: any cost has a place, 0 too, and labels are in the unit of the cost."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.drawing.cost_scale import cost_scale, with_reference
from reports.drawing.scales import LinearScale, LogScale, ZeroLogScale
from studies.metrics.cost_axes import COST_AXES, MIB

PIXELS = (50.0, 900.0)
COSTS = st.lists(st.one_of(st.just(0.0), st.floats(1e-3, 1e12)), min_size=1, max_size=30)


@given(COSTS, st.sampled_from([axis for axis in COST_AXES.values() if axis.is_log]))
def test_a_larger_cost_is_further_right_and_all_are_on_the_axis(costs: list[float], axis: object) -> None:
    scale = cost_scale(axis, costs, PIXELS)  # type: ignore[arg-type]
    places = [scale(cost) for cost in sorted(set(costs))]
    assert all(left <= right for left, right in pairwise(places))
    assert all(PIXELS[0] <= place <= PIXELS[1] for place in places)
    assert scale.each(np.array(sorted(set(costs)))).tolist() == pytest.approx(places)


@given(COSTS)
def test_zero_stands_clear_of_every_positive_cost(costs: list[float]) -> None:
    scale = cost_scale(COST_AXES["memory_bytes"], [0.0, *costs], PIXELS)
    assert isinstance(scale, ZeroLogScale)
    assert all(scale(cost) - scale(0.0) > 30 for cost in costs if cost > 0)
    assert [tick.label for tick in scale.ticks() if tick.value == 0] == ["0"]


def test_costs_above_zero_are_on_a_plain_logarithmic_axis() -> None:
    scale = cost_scale(COST_AXES["seconds"], [1.0, 10.0, 100.0], PIXELS)
    assert isinstance(scale, LogScale)
    assert scale(10.0) - scale(1.0) == pytest.approx(scale(100.0) - scale(10.0))


def test_labels_are_in_the_unit_and_places_in_the_stored_one() -> None:
    scale = cost_scale(COST_AXES["model_bytes"], [MIB, 100 * MIB], PIXELS)
    ticks = {tick.label: tick.value for tick in scale.ticks() if tick.label}
    assert ticks["10"] == 10 * MIB
    assert set(ticks) >= {"1", "10", "100"}


def test_millions_have_the_prefix_of_a_unit_in_place_of_an_exponent() -> None:
    scale = cost_scale(COST_AXES["inference_multiply_adds"], [1e5, 1e9], PIXELS)
    labels = [tick.label for tick in scale.ticks() if tick.label]
    assert labels == ["100000", "1 M", "10 M", "100 M", "1 G"]


def test_forgetting_can_be_negative_and_so_is_on_a_linear_axis() -> None:
    scale = cost_scale(COST_AXES["forgetting"], [-0.01, 0.2], PIXELS)
    assert isinstance(scale, LinearScale)
    assert scale.domain[0] < -0.01 and scale.domain[1] > 0.2


def test_only_a_ratio_has_a_reference() -> None:
    assert with_reference(COST_AXES["compression_ratio"], [0.1]) == [0.1, 1.0]
    assert with_reference(COST_AXES["seconds"], [0.1]) == [0.1]
