"""Order of points in which every prefix covers them well."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def epsilon_net(points: NDArray[np.float64]) -> NDArray[np.int_]:
    """Order the points of a front: the next is the one farthest from those before.

    Of several the first of the list is taken. It starts with the best in the first objective. Salinas et al., "A
    multi-objective perspective on jointly tuning hardware and hyperparameters" (2021),
    https://arxiv.org/abs/2106.05680.

    Args:
        points: (n_points, n_objectives), none of which dominates another. With one or two objectives the order takes
            O(n log n), with more O(n^2) time.

    Returns:
        Indices, (n_points,).
    """
    import numpy as np

    if not len(points) or points.shape[1] == 1:  # one objective: the points of a front are equal
        return np.arange(len(points))
    return _order_on_curve(points) if points.shape[1] == 2 else _order_in_space(points)


def _order_in_space(points: NDArray[np.float64]) -> NDArray[np.int_]:
    import numpy as np

    order = [int(points[:, 0].argmin())]
    distance = _squared(points, points[order[0]])  # to the nearest of those before
    while len(order) < len(points):
        distance[order[-1]] = -1.0
        order.append(int(distance.argmax()))
        distance = np.minimum(distance, _squared(points, points[order[-1]]))
    return np.array(order)


def _order_on_curve(points: NDArray[np.float64]) -> NDArray[np.int_]:
    """Order points of two objectives, along which one falls while the other rises.

    The nearest of those before is then one of two neighbours on the curve. So the point that comes first between two
    neighbours, and its distance to them when it comes, depend on these two alone. All gaps are halved at once, and the
    points sorted by that distance, which never grows.
    """
    import numpy as np

    along = np.lexsort((np.arange(len(points)), points[:, 0]))
    is_new = np.concatenate([[True], points[along[1:], 0] != points[along[:-1], 0]])  # equal ones come last, at 0
    along = along[is_new]
    curve, last = points[along], len(along) - 1
    distance = np.zeros(len(points))
    distance[along[-1]] = _squared(curve[-1], curve[0])
    distance[along[0]] = np.inf
    left, right = np.array([0]), np.array([last])
    while (is_open := right - left > 1).any():
        left, right = left[is_open], right[is_open]
        middle, its_distance = _farthest_between(curve, along, left, right)
        distance[along[middle]] = its_distance
        left, right = np.concatenate([left, middle]), np.concatenate([middle, right])
    return np.argsort(-distance, kind="stable")


def _farthest_between(
    curve: NDArray[np.float64], along: NDArray[np.int_], left: NDArray[np.int_], right: NDArray[np.int_]
) -> tuple[NDArray[np.int_], NDArray[np.float64]]:
    """Find the point farthest from both ends of each gap, and its squared distance to the nearer end, (n_gaps,) each.

    The distance to the left end grows along the curve and the one to the right end falls: it is beside their crossing.
    """
    import numpy as np

    before, after = left, right  # the last point nearer to the left end, and the first that is not
    while (after - before > 1).any():
        middle = (before + after) // 2
        is_before = _squared(curve[middle], curve[left]) < _squared(curve[middle], curve[right])
        before, after = np.where(is_before, middle, before), np.where(is_before, after, middle)
    to_left, to_right = _squared(curve[before], curve[left]), _squared(curve[after], curve[right])
    is_first = (to_left > to_right) | ((to_left == to_right) & (along[before] < along[after]))
    takes_before = (after == right) | ((before > left) & is_first)
    return np.where(takes_before, before, after), np.maximum(to_left, to_right)


def _squared(points: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """Squared distances, (n_points,)."""
    difference = points - others
    squared: NDArray[np.float64] = (difference * difference).sum(axis=-1)
    return squared
