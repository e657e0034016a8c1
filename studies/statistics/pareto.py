"""Pareto fronts and the hypervolume they dominate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from studies.statistics.dominance import distinct, new_front

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

DIRECTIONS = ("minimize", "maximize")


def pareto_mask(values: NDArray[np.float64], directions: Sequence[str]) -> NDArray[np.bool_]:
    """Return a mask of the points that are not dominated.

    A point dominates another if it is at least as good in every objective and better in one; so equal points of the
    front all stay. A point with a NaN is never in the front and dominates nothing.

    Args:
        values: (n_points, n_objectives).
        directions: "minimize" or "maximize" for each objective.

    Returns:
        (n_points,)
    """
    import numpy as np

    costs = _as_costs(values, directions)
    known = np.flatnonzero(~np.isnan(costs).any(axis=1))
    # In this order no later point dominates an earlier one; equal points are handled as one.
    points, which = distinct(costs[known])
    mask = np.zeros(len(costs), dtype=bool)
    mask[known] = (_front_of_two if costs.shape[1] == 2 else _front_of_many)(points)[which]
    return mask


def _front_of_two(points: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return a mask of points below all before them; the points are different and in ascending order."""
    import numpy as np

    lowest = np.minimum.accumulate(points[:, 1])
    return np.concatenate([np.ones(min(len(points), 1), dtype=bool), points[1:, 1] < lowest[:-1]])


def _front_of_many(points: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return a mask of points that no earlier one dominates; the points are different and in ascending order."""
    import numpy as np

    mask = np.zeros(len(points), dtype=bool)
    if points.shape[1] == 1:
        mask[:1] = True
        return mask
    front = new_front(points.shape[1])
    for i, point in enumerate(points):
        if not front.dominates(point):
            mask[i] = True
            front.add(point)
    return mask


def hypervolume_2d(values: NDArray[np.float64], reference: Sequence[float], directions: Sequence[str]) -> float:
    """Compute the area dominated by the points up to a reference point, for two objectives.

    The sum over the front, from best to worst first objective, of (x_ref - x_i) (y_{i-1} - y_i), with y_0 = y_ref. Only
    values with the same reference can be compared, so a caller names it beside the number.

    Args:
        values: (n_points, 2); points that are NaN or no better than the reference in both objectives add nothing.
        reference: the worst point that still counts, (2,).
        directions: "minimize" or "maximize" for each objective.
    """
    import numpy as np

    if len(directions) != 2 or len(reference) != 2:
        raise ValueError(f"hypervolume_2d needs two objectives, got {len(directions)} and a reference {reference}.")
    costs = _as_costs(values, directions)
    (x_ref, y_ref) = _as_costs(np.array([reference], dtype=float), directions)[0]
    inside = costs[(costs < (x_ref, y_ref)).all(axis=1)]
    area, y_best = 0.0, y_ref
    for x, y in inside[np.lexsort((inside[:, 1], inside[:, 0]))]:
        if y < y_best:
            area += (x_ref - x) * (y_best - y)
            y_best = y
    return float(area)


def _as_costs(values: NDArray[np.float64], directions: Sequence[str]) -> NDArray[np.float64]:
    """Return the points with every objective turned so that less is better, (n_points, n_objectives)."""
    import numpy as np

    unknown = [direction for direction in directions if direction not in DIRECTIONS]
    if unknown or not directions:
        raise ValueError(f"each objective must be minimize or maximize, got {list(directions)}.")
    points = np.asarray(values, dtype=float).reshape(-1, len(directions))
    return points * np.where(np.array(directions) == "maximize", -1.0, 1.0)
