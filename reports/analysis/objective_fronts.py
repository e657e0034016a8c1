"""Fronts of a study with several objectives: of all together, and of each two of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from reports.data.study_data import StudyData
from studies.metrics.cost_axes import COST_AXES
from studies.metrics.definitions import METRICS
from studies.statistics.selection import front_mask, has_every

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MIN_OBJECTIVES = 3


@dataclass(frozen=True)
class ObjectivePair:
    """Two objectives, and the configurations that no other one beats in both.

    Attributes:
        x, y: the metrics; a cost is `x`.
        on_front: mask of those configurations, (n_configurations,).
    """

    x: str
    y: str
    on_front: NDArray[np.bool_]

    @property
    def label(self) -> str:
        return f"{_word(self.y)} and {_word(self.x)}"


@dataclass(frozen=True)
class ObjectiveFronts:
    """The fronts of a study, among its configurations with a value of every objective.

    Attributes:
        directions: minimize or maximize, of each objective.
        is_known: mask of the configurations with a value of every objective, (n_configurations,).
        on_front: mask of those on the front of all objectives, (n_configurations,).
        pairs: the fronts of each two objectives.
    """

    directions: Mapping[str, str]
    is_known: NDArray[np.bool_]
    on_front: NDArray[np.bool_]
    pairs: tuple[ObjectivePair, ...]


def objective_fronts(data: StudyData) -> ObjectiveFronts | None:
    """Find the fronts of a study; None for fewer than three objectives or no configuration with all of them.

    As everywhere, constraints hold, and the validation split decides where there is one.
    """
    directions = {name: goal for name, goal in data.record.objectives.items() if name in METRICS}
    if len(directions) < MIN_OBJECTIVES or not data.configurations:
        return None
    is_known = has_every(data.columns.__getitem__, directions)
    if not is_known.any():
        return None
    candidates = is_known & data.columns.among(data.feasible)
    pairs = tuple(
        ObjectivePair(x, y, _front(data, candidates, {x: directions[x], y: directions[y]}))
        for x, y in (_x_and_y(*two) for two in combinations(directions, 2))
    )
    return ObjectiveFronts(directions, is_known, _front(data, candidates, directions), pairs)


def _front(data: StudyData, candidates: NDArray[np.bool_], goals: Mapping[str, str]) -> NDArray[np.bool_]:
    mask = candidates.copy()
    mask[candidates] = front_mask(lambda metric: data.columns[metric][candidates], goals)
    return mask


def _x_and_y(first: str, second: str) -> tuple[str, str]:
    return (first, second) if first in COST_AXES and second not in COST_AXES else (second, first)


def _word(metric: str) -> str:
    return COST_AXES[metric].word if metric in COST_AXES else METRICS[metric].label.lower()


def goals_text(directions: Mapping[str, str]) -> str:
    """Name the objectives, such as `highest final accuracy and lowest training time`."""
    *most, last = [
        f"{'highest' if goal == 'maximize' else 'lowest'} "
        f"{COST_AXES[name].name if name in COST_AXES else METRICS[name].label.lower()}"
        for name, goal in directions.items()
    ]
    return f"{', '.join(most)} and {last}" if most else last
