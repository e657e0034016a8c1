"""Choice of configurations: the front, and the best one, among finished configurations given by column.

Every command and report chooses by these functions, so they show the same ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from studies.metrics.cost_axes import COMPRESSION
from studies.metrics.definitions import METRICS, SELECTED_BY
from studies.statistics.pareto import pareto_mask

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Candidates:
    """Finished configurations that may be chosen, by column; duplicates are left out.

    Attributes:
        numbers: their trial numbers, (n_candidates,).
        values: the means of a metric, (n_candidates,), NaN where it was not measured.
        objectives: the direction of each objective of the study.
        cost: the metric that decides between equally good ones.
    """

    numbers: NDArray[np.int_]
    values: Callable[[str], NDArray[np.float64]]
    objectives: Mapping[str, str]
    cost: str = COMPRESSION.metric

    @cached_property
    def final(self) -> str:
        """The quality of the study: final_mse where that is an objective or all that was measured."""
        import numpy as np

        measured = {name for name in SELECTED_BY if np.isfinite(self.values(name)).any()}
        return "final_mse" if "final_mse" in self.objectives or measured == {"final_mse"} else "final_accuracy"

    @cached_property
    def front(self) -> NDArray[np.bool_]:
        """The candidates on the front of the study, (n_candidates,)."""
        return front_mask(self.values, self.objectives)

    @cached_property
    def has_every_objective(self) -> NDArray[np.bool_]:
        return has_every(self.values, self.objectives)

    def best(self) -> int | None:
        """Return the number of the best candidate by its quality, the cheaper one of equals; None without any."""
        has_cost = has_every(self.values, (self.final, self.cost))
        chosen = has_cost if has_cost.any() else has_every(self.values, (self.final,))
        return self._best(self.final, METRICS[self.final].better == "higher", chosen, chosen)

    def best_on_front(self, objective: str) -> int | None:
        """Return the number of the front member that is best by one objective; None where the front is empty."""
        is_higher_better = self.objectives[objective] == "maximize"
        return self._best(objective, is_higher_better, self.has_every_objective, self.front)

    def _best(
        self, metric: str, is_higher_better: bool, candidates: NDArray[np.bool_], chosen: NDArray[np.bool_]
    ) -> int | None:
        import numpy as np

        if not chosen.any():
            return None
        values = self.values(deciding(metric, self.values, candidates))
        losses = -values if is_higher_better else values
        costs = np.nan_to_num(self.values(self.cost), nan=np.inf)
        return int(self.numbers[least(chosen, losses, costs, self.numbers)])


def plane(final: str, cost: str) -> dict[str, str]:
    """Return the directions of a final measure and of a cost: the objectives of a trade-off between them."""
    return {final: "maximize" if METRICS[final].better == "higher" else "minimize", cost: "minimize"}


def front_mask(values: Callable[[str], NDArray[np.float64]], objectives: Mapping[str, str]) -> NDArray[np.bool_]:
    """Return a mask of the candidates on the front of a study, (n_candidates,).

    A candidate without a value of every objective is not on it. Where every other one has a validation split, its
    values decide instead of those of the test split.

    Args:
        values: the means of a metric, (n_candidates,), NaN where it was not measured.
        objectives: the direction of each metric.
    """
    import numpy as np

    candidates = has_every(values, objectives)
    chosen = [values(deciding(metric, values, candidates))[candidates] for metric in objectives]
    mask = np.zeros(len(candidates), dtype=bool)
    mask[candidates] = pareto_mask(np.column_stack(chosen), list(objectives.values()))
    return mask


def deciding(metric: str, values: Callable[[str], NDArray[np.float64]], candidates: NDArray[np.bool_]) -> str:
    """Return the metric that choices by `metric` are made by: on the validation split where every candidate has one."""
    import numpy as np

    validation = SELECTED_BY.get(metric, metric)
    return validation if candidates.any() and np.isfinite(values(validation)[candidates]).all() else metric


def has_every(values: Callable[[str], NDArray[np.float64]], metrics: Iterable[str]) -> NDArray[np.bool_]:
    """Return a mask of the candidates with a value of each of the metrics, (n_candidates,)."""
    import numpy as np

    table = np.column_stack([values(metric) for metric in metrics])
    mask: NDArray[np.bool_] = np.asarray(np.isfinite(table).all(axis=1))
    return mask


def least(chosen: NDArray[np.bool_], *keys: NDArray[Any]) -> int:
    """Return the chosen index where the first key is least; of equal ones, where the second is, and so on."""
    places = chosen.nonzero()[0]
    for key in keys:
        places = places[key[places] == key[places].min()]
    return int(places[0])
