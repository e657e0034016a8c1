"""One value per run of some configurations, drawn in one colour by the views of the trade-off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reports.data.study_data import StudyData

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray


@dataclass(frozen=True)
class RunSeries:
    """Runs of the same kind; all arrays are (n_runs,).

    Attributes:
        label: as the legend has it.
        style: class of its marks.
        numbers, seeds: which run it is.
        costs: the cost of the run, which is the same for each seed where it follows from the configuration.
        values: the measure on the test split.
    """

    label: str
    style: str
    numbers: NDArray[np.int_]
    seeds: NDArray[np.int_]
    costs: NDArray[np.float64]
    values: NDArray[np.float64]

    def over_seeds(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return mean cost and mean value of each configuration, both (n_configurations,)."""
        import numpy as np

        found, first, group = np.unique(self.numbers, return_index=True, return_inverse=True)
        n_runs = np.bincount(group, minlength=len(found))
        costs = self.costs[first]  # the mean is taken as a distance from it, so that one that does not vary stays exact
        costs = costs + np.bincount(group, weights=self.costs - costs[group], minlength=len(found)) / n_runs
        return costs, np.bincount(group, weights=self.values, minlength=len(found)) / n_runs


def series_of(runs: pd.DataFrame, data: StudyData, metric: str, label: str, style: str) -> RunSeries:
    """Select the runs of the configurations of a study that have the metric and a cost.

    Args:
        runs: `Studies.runs` of the study.
    """
    numbers = [trial.number for trial in data.configurations]
    chosen = runs[runs["number"].isin(numbers) & runs[metric].notna() & runs[data.x.metric].notna()]
    return RunSeries(
        label,
        style,
        chosen["number"].to_numpy(dtype=int),
        chosen["seed"].to_numpy(dtype=int),
        chosen[data.x.metric].to_numpy(dtype=float),
        chosen[metric].to_numpy(dtype=float),
    )


def during_and_final(runs: pd.DataFrame, data: StudyData) -> list[RunSeries]:
    """Return the series of one study, in the order they are drawn; only final where nothing else was evaluated."""
    return [series_of(runs, data, metric, label, label) for metric, label in _series(data)]


def means_of(data: StudyData) -> list[RunSeries]:
    """Return the same series from the means over seeds, for studies with too many runs to read."""
    import numpy as np

    columns = data.columns
    found = []
    for metric, label in _series(data):
        known = ~np.isnan(columns[metric])
        numbers, costs = columns.numbers[known], data.costs[known]
        seeds = np.zeros(len(numbers), dtype=int)
        found.append(RunSeries(label, label, numbers, seeds, costs, columns[metric][known]))
    return found


def _series(data: StudyData) -> list[tuple[str, str]]:
    """Return metric and label of each series."""
    final = (data.quality.final, "final")
    return [(data.quality.during, "during"), final] if data.has_during else [final]
