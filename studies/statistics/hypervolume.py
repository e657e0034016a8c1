"""Hypervolume of a front, from a fixed reference point."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from studies.metrics.definitions import METRICS, Metric
from studies.statistics.pareto import hypervolume_2d

# Fixed, so that two studies can be compared; the worst value of each objective that still counts.
REFERENCE_POINT = {
    "final_accuracy": 0.0,
    "compression_ratio": 2.0,
    "hypernet_ratio": 2.0,
    "forgetting": 1.0,
    "final_mse": 1.0,
}


def front_hypervolume(front: Sequence[Mapping[str, Any]], objectives: Mapping[str, str]) -> dict[str, Any] | None:
    """Compute the area a front of two objectives dominates, as value and as share of the box up to the best point.

    None where there are not two objectives with a fixed reference in the direction that is better, or no front. The
    best point has the bound of each metric, such as an accuracy of 1 and a forgetting of -1, so a share is at most 1.
    """
    import numpy as np

    point = reference_point(objectives)
    if not front or point is None:
        return None
    reference = list(point.values())
    values = np.array([[row[name] for name in objectives] for row in front], dtype=float)
    area = hypervolume_2d(values, reference, list(objectives.values()))
    best = [_best_value(METRICS[name]) for name in objectives]
    box = float(np.prod([abs(worst - top) for worst, top in zip(reference, best, strict=True)]))
    return {"value": area, "share": area / box, "reference": point}


def reference_point(objectives: Mapping[str, str]) -> dict[str, float] | None:
    """Return the fixed reference of each of two objectives.

    None where there are not two with a reference, in the direction that is better.
    """
    if len(objectives) != 2 or not set(objectives) <= set(REFERENCE_POINT):
        return None
    if any(direction != _BETTER[METRICS[name].better] for name, direction in objectives.items()):
        return None
    return {name: REFERENCE_POINT[name] for name in objectives}


_BETTER = {"higher": "maximize", "lower": "minimize"}


def _best_value(metric: Metric) -> float:
    return metric.highest if metric.better == "higher" else metric.lowest
