"""Hypervolume of a front, from a reference point that is fixed where the metric has a worst value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from studies.metrics.cost_axes import CostAxis
from studies.metrics.definitions import METRICS, Metric
from studies.statistics.pareto import hypervolume_2d

# Fixed, so that two studies can be compared; the worst value of each objective that still counts.
REFERENCE_POINT = {
    "final_accuracy": 0.0,
    "compression_ratio": 2.0,
    "hypernet_ratio": 2.0,
    "forgetting": 1.0,
    "forgetting_first": 1.0,
    "forgetting_mammoth": 1.0,
    "final_mse": 1.0,
}
BEYOND = 1.1


def reference_cost(x: CostAxis, largest: float) -> float | None:
    """Return the cost up to which a hypervolume counts: the fixed one, else a tenth above the largest.

    Bytes, operations and seconds have no worst value of their own, so there only fronts of one report can be compared.
    None where every cost is 0.
    """
    return REFERENCE_POINT.get(x.metric, BEYOND * largest) or None


def front_hypervolume(
    front: Sequence[Mapping[str, Any]],
    objectives: Mapping[str, str],
    references: Mapping[str, float] = MappingProxyType({}),
) -> dict[str, Any] | None:
    """Compute the area a front of two objectives dominates, as value and as share of the box up to the best point.

    None where there are not two objectives with a reference in the direction that is better, or no front. The best
    point has the bound of each metric, such as an accuracy of 1 and a forgetting of -1, so a share is at most 1.

    Args:
        references: the worst values that still count, of metrics that have no fixed one.
    """
    import numpy as np

    point = reference_point(objectives, references)
    if not front or point is None:
        return None
    reference = list(point.values())
    values = np.array([[row[name] for name in objectives] for row in front], dtype=float)
    area = hypervolume_2d(values, reference, list(objectives.values()))
    best = [_best_value(METRICS[name]) for name in objectives]
    box = float(np.prod([abs(worst - top) for worst, top in zip(reference, best, strict=True)]))
    return {"value": area, "share": area / box, "reference": point}


def reference_point(
    objectives: Mapping[str, str], references: Mapping[str, float] = MappingProxyType({})
) -> dict[str, float] | None:
    """Return the reference of each of two objectives, the fixed one where the metric has one.

    None where there are not two with a reference, in the direction that is better.
    """
    known = {**references, **REFERENCE_POINT}
    if len(objectives) != 2 or not set(objectives) <= set(known):
        return None
    if any(direction != _BETTER[METRICS[name].better] for name, direction in objectives.items()):
        return None
    return {name: known[name] for name in objectives}


_BETTER = {"higher": "maximize", "lower": "minimize"}


def _best_value(metric: Metric) -> float:
    return metric.highest if metric.better == "higher" else metric.lowest
