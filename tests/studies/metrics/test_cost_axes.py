"""The costs that a trade-off can be drawn over: all that the studies know, with words, units and a default."""

from __future__ import annotations

import pytest

from hnet_core.errors import ConfigInvalid
from studies.metrics.cost_axes import COST_AXES, axis_of_objectives, cost_axis
from studies.metrics.definitions import METRICS


def test_every_count_and_cost_that_is_better_low_is_an_axis_and_so_is_forgetting() -> None:
    costs = {name for name, one in METRICS.items() if one.kind in ("count", "cost") and one.better == "lower"}
    assert set(COST_AXES) == costs | {"forgetting", "forgetting_first", "forgetting_mammoth"}


def test_every_axis_names_its_metric_and_its_unit() -> None:
    for name, axis in COST_AXES.items():
        assert axis.metric == name and METRICS[name].better == "lower"
        assert axis.unit in axis.label and axis.unit in axis.heading
        assert ("log scale" in axis.label) == (METRICS[name].kind != "matrix")


def test_an_unknown_cost_is_refused_with_the_nearest_ones() -> None:
    with pytest.raises(ConfigInvalid, match="got 'secnds'; did you mean 'seconds'\\? closest of 16: seconds"):
        cost_axis("secnds")


def test_a_metric_that_is_no_cost_is_refused() -> None:
    with pytest.raises(ConfigInvalid, match="must be a cost of a trial, got 'final_accuracy'"):
        cost_axis("final_accuracy")


@pytest.mark.parametrize(
    ("objectives", "expected"),
    [
        ({"final_accuracy": "maximize", "compression_ratio": "minimize"}, "compression_ratio"),
        ({"final_accuracy": "maximize", "seconds": "minimize"}, "seconds"),
        ({"seconds": "minimize", "compression_ratio": "minimize", "final_mse": "minimize"}, "compression_ratio"),
        ({"memory_bytes": "minimize", "seconds": "minimize"}, "memory_bytes"),
        ({"final_accuracy": "maximize", "forgetting_first": "minimize"}, "forgetting_first"),
        ({"final_mse": "minimize"}, "compression_ratio"),
        ({"final_accuracy": "maximize"}, "compression_ratio"),
        ({"final_accuracy": "maximize", "model_weights": "maximize"}, "compression_ratio"),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, dict) else "",
)
def test_the_default_axis_is_the_cost_that_the_study_minimises(objectives: dict[str, str], expected: str) -> None:
    assert axis_of_objectives(objectives).metric == expected
