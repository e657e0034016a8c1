"""Ranges with steps: what is in them, and the points of a grid, as they are written in decimals."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from studies.spec.ranges import Dimension, FloatRange, IntRange
from tests.sweeps.tiny import tiny_spec


def of(content: dict[str, Any]) -> Any:
    return TypeAdapter(Dimension).validate_python(content)


@pytest.mark.parametrize(
    ("content", "points"),
    [
        ({"float": [0.1, 0.5], "step": 0.1}, [0.1, 0.2, 0.3, 0.4, 0.5]),
        ({"float": [0, 0.3], "step": 0.05}, [0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3]),
        ({"float": [-0.2, 0.1], "step": 0.1}, [-0.2, -0.1, 0.0, 0.1]),
        ({"float": [1e-4, 3e-4], "step": 1e-4}, [0.0001, 0.0002, 0.0003]),
        ({"int": [20, 60], "step": 20}, [20, 40, 60]),
    ],
)
def test_the_points_of_a_grid_are_the_decimals_a_reader_expects(content: dict[str, Any], points: list[Any]) -> None:
    grid = of(content).grid()
    assert grid == points
    assert [type(point) for point in grid] == [type(point) for point in points]


@settings(deadline=None)  # a busy machine is no fault
@given(st.decimals(-10, 10, places=3), st.decimals("0.001", 3, places=3), st.integers(1, 50))
def test_every_point_of_a_grid_is_in_its_range_and_no_value_between_two_points_is(
    low: Decimal, step: Decimal, n: int
) -> None:
    found = FloatRange.model_validate({"float": [float(low), float(low + n * step)], "step": float(step)})
    grid = found.grid()
    assert grid == [float(low + i * step) for i in range(n + 1)]
    assert found.grid_size() == n + 1
    assert all(found.contains(point) and found.snapped(point) == point for point in grid)
    assert all(found.contains(float(low) + i * float(step)) for i in range(1, n))  # as a sampler adds them up
    assert not any(found.contains(float(low + (i + Decimal("0.4")) * step)) for i in range(n))


@settings(deadline=None)  # a busy machine is no fault
@given(st.integers(-100, 100), st.integers(1, 20), st.integers(1, 20), st.integers(-500, 500))
def test_a_whole_number_is_in_a_range_where_its_grid_has_it(low: int, step: int, n: int, value: int) -> None:
    found = IntRange.model_validate({"int": [low, low + n * step], "step": step})
    assert found.contains(value) == (value in (found.grid() or []))


@pytest.mark.parametrize("content", [{"float": [0.1, 0.95], "step": 0.1}, {"int": [20, 70], "step": 20}])
def test_a_step_that_misses_the_end_of_its_range_is_refused_with_the_last_step(content: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=r"must lead from .* misses it; end the range at (0\.9|60)"):
        of(content)


def test_points_that_are_enqueued_come_first_and_once() -> None:
    choices = {"method.beta_output": {"choice": [0.1, 0.2, 0.3]}, "hypernet.chunk_size": {"choice": [50, 60]}}
    first = [{"method.beta_output": 0.2, "hypernet.chunk_size": 60}, {"hypernet.chunk_size": 60}]
    spec = tiny_spec(search=choices, sampler="grid", enqueue=first, budget={"trials": 100})
    order = [tuple(point.values()) for point in spec.grid_order or []]
    assert order == [(0.2, 60), (0.1, 60), (0.1, 50), (0.2, 50), (0.3, 50), (0.3, 60)]
    assert spec.planned_trials == 6
    assert not spec.has_asked_all(4, 1)
    assert spec.has_asked_all(4, 2)


def test_a_grid_of_lists_begins_with_the_list_that_is_enqueued() -> None:
    widths = {"target.hidden": {"choice": [[10], [20, 20]]}}
    spec = tiny_spec(search=widths, sampler="grid", enqueue=[{"target.hidden": [20, 20]}])
    assert [point["target.hidden"] for point in spec.grid_order or []] == [[20, 20], [10]]
