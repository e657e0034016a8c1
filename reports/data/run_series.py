"""One value per run of some configurations, drawn in one colour by the views of the trade-off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reports.data.study_data import StudyData
from reports.data.trial import Trial

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
        ratios: compression ratio of its configuration.
        values: the measure on the test split.
    """

    label: str
    style: str
    numbers: NDArray[np.int_]
    seeds: NDArray[np.int_]
    ratios: NDArray[np.float64]
    values: NDArray[np.float64]

    def over_seeds(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return ratio and mean value of each configuration, both (n_configurations,)."""
        import numpy as np

        found, first, group = np.unique(self.numbers, return_index=True, return_inverse=True)
        totals = np.bincount(group, weights=self.values, minlength=len(found))
        return self.ratios[first], totals / np.bincount(group, minlength=len(found))


def series_of(runs: pd.DataFrame, trials: Sequence[Trial], metric: str, label: str, style: str) -> RunSeries:
    """Select the runs of `trials` that have the metric.

    Args:
        runs: `Studies.runs` of their study.
    """
    chosen = runs[runs["number"].isin([trial.number for trial in trials]) & runs[metric].notna()]
    return RunSeries(
        label,
        style,
        chosen["number"].to_numpy(dtype=int),
        chosen["seed"].to_numpy(dtype=int),
        chosen["compression_ratio"].to_numpy(dtype=float),
        chosen[metric].to_numpy(dtype=float),
    )


def during_and_final(runs: pd.DataFrame, data: StudyData) -> list[RunSeries]:
    """Return the series of one study, in the order they are drawn; only final where nothing else was evaluated."""
    return [series_of(runs, data.configurations, metric, label, label) for metric, label in _series(data)]


def means_of(data: StudyData) -> list[RunSeries]:
    """Return the same series from the means over seeds, for studies with too many runs to read."""
    import numpy as np

    columns = data.columns
    found = []
    for metric, label in _series(data):
        known = ~np.isnan(columns[metric])
        numbers, ratios = columns.numbers[known], columns["compression_ratio"][known]
        found.append(
            RunSeries(label, label, numbers, np.zeros(len(numbers), dtype=int), ratios, columns[metric][known])
        )
    return found


def _series(data: StudyData) -> list[tuple[str, str]]:
    """Return metric and label of each series."""
    final = (data.quality.final, "final")
    return [(data.quality.during, "during"), final] if data.has_during else [final]
