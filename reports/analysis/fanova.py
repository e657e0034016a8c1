"""fANOVA: share of the variance of a measure that each searched parameter explains by itself.

fANOVA of Hutter, Hoos and Leyton-Brown, "An efficient approach for assessing hyperparameter importance" (ICML 2014),
https://proceedings.mlr.press/v32/hutter14.html: a random forest is fitted, and the variance of each tree over the
search space is split exactly. Optuna's evaluator walks each tree once per value of a parameter, which takes half a
minute for 500 configurations; here the leaves of a tree are boxes, and all values are one matrix product.

Differs: from Optuna's in the space the variance is taken over. A log range counts by its logarithm and a choice by its
choices, as the search draws them; Optuna takes log ranges linearly and includes impossible combinations of choices.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

TREES = 64
Cells = tuple["NDArray[np.float64]", "NDArray[np.bool_]"]


@dataclass(frozen=True)
class Range:
    """A parameter between two numbers; `is_log`: the search draws its logarithm evenly."""

    low: float
    high: float
    is_log: bool = False

    def encode(self, values: Sequence[Any]) -> NDArray[np.float64]:
        """Scale values to [0, 1], (n, 1)."""
        import numpy as np

        scale = np.log if self.is_log else np.asarray
        low, high = (math.log(end) if self.is_log else end for end in (self.low, self.high))
        places = (scale(np.array(values, dtype=float)) - low) / (high - low)
        return np.asarray(places, dtype=float).reshape(-1, 1)

    def cells(self, lower: NDArray[np.float64], upper: NDArray[np.float64]) -> Cells:
        """Return sizes of the cells between splits, (n_cells,), and which leaves they are in, (n_cells, n_leaves).

        Args:
            lower, upper: the leaves along this parameter, each (n_leaves, 1).
        """
        import numpy as np

        edges = np.unique(np.concatenate([lower, upper, [[0.0], [1.0]]]))
        middles = (edges[1:, None] + edges[:-1, None]) / 2
        return np.diff(edges), (middles > lower.T) & (middles < upper.T)


@dataclass(frozen=True)
class Choices:
    """A parameter that takes one of some values, all as likely."""

    values: tuple[Any, ...]

    def encode(self, values: Sequence[Any]) -> NDArray[np.float64]:
        """Encode values one-hot, (n, n_choices)."""
        import numpy as np

        return np.eye(len(self.values))[[self.values.index(value) for value in values]]

    def cells(self, lower: NDArray[np.float64], upper: NDArray[np.float64]) -> Cells:
        """Return sizes and mask as `Range.cells` does, with a cell per choice; the leaves are (n_leaves, n_choices)."""
        import numpy as np

        excluded, required = upper.T < 1, lower.T > 0  # a split between 0 and 1 leaves a choice out, or all others
        holds = ~excluded & (required.sum(axis=0) == required)
        return np.full(len(self.values), 1 / len(self.values)), holds


def shares(spaces: Sequence[Range | Choices], columns: Sequence[Sequence[Any]], values: Sequence[float]) -> list[float]:
    """Compute the share of the variance each parameter explains alone, averaged over trees; 0 where nothing varies.

    Args:
        spaces: the parameters.
        columns: their values, one sequence of n per parameter.
        values: the measure, (n,).
    """
    import numpy as np
    from sklearn.ensemble import RandomForestRegressor

    encoded = [space.encode(column) for space, column in zip(spaces, columns, strict=True)]
    forest = RandomForestRegressor(n_estimators=TREES, max_depth=64, random_state=0)
    forest.fit(np.hstack(encoded), np.asarray(values, dtype=float))
    ends = np.cumsum([part.shape[1] for part in encoded])[:-1]
    found = [_shares_of_tree(spaces, ends, tree.tree_) for tree in forest.estimators_]
    explained = [each for each in found if each is not None]
    return np.mean(explained, axis=0).tolist() if explained else [0.0] * len(spaces)


def _shares_of_tree(spaces: Sequence[Range | Choices], ends: NDArray[np.int_], tree: Any) -> list[float] | None:
    """Compute the shares of one tree; None where its prediction is constant."""
    import numpy as np

    value, lower, upper = _leaves(tree)
    parts = zip(spaces, np.split(lower, ends, axis=1), np.split(upper, ends, axis=1), strict=True)
    sizes, held = zip(*(space.cells(low, high) for space, low, high in parts), strict=True)
    extents = np.array([size @ holds for size, holds in zip(sizes, held, strict=True)])  # (n_parameters, n_leaves)
    volume = extents.prod(axis=0)
    mean = value @ volume
    total = float((value - mean) ** 2 @ volume)
    if total <= 0:
        return None
    explained = []
    for i, (size, holds) in enumerate(zip(sizes, held, strict=True)):
        others = np.delete(extents, i, axis=0).prod(axis=0)
        marginal = holds @ (value * others)  # (n_cells,), the mean over all other parameters
        explained.append(float(size @ (marginal - mean) ** 2) / total)
    return explained


def _leaves(tree: Any) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return leaf predictions, (n_leaves,), and lower and upper ends of the leaf boxes, each (n_leaves, n_columns)."""
    import numpy as np

    lower = np.zeros((tree.node_count, tree.n_features))
    upper = np.ones((tree.node_count, tree.n_features))
    nodes = np.array([0])
    while len(nodes := nodes[tree.children_left[nodes] >= 0]):  # one level after the other
        left, right, feature = tree.children_left[nodes], tree.children_right[nodes], tree.feature[nodes]
        for children in (left, right):
            lower[children], upper[children] = lower[nodes], upper[nodes]
        upper[left, feature] = lower[right, feature] = tree.threshold[nodes]
        nodes = np.concatenate([left, right])
    is_leaf = tree.children_left < 0
    return tree.value[is_leaf].reshape(-1), lower[is_leaf], upper[is_leaf]
