"""Values of the metrics: of one run, of many runs at once, and those known before training."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hnet_core.trial import MATRICES, TrialResult, WeightCounts
from studies.metrics.definitions import METRICS, Metric
from studies.metrics.from_matrix import Evaluations, Matrices
from studies.missing import nan_to_none

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def run_metrics(result: TrialResult) -> dict[str, float | None]:
    """Return all metrics of one run, in the order of METRICS; None where not defined."""
    import numpy as np

    cells = [
        (MATRICES.index(name), after_task, on_task, value)
        for name, matrix in result.matrices.items()
        for after_task, row in enumerate((result.untrained if name == "test" else (), *matrix))
        for on_task, value in enumerate(row, start=1)
        if value is not None
    ]
    columns = np.array(cells, dtype=float).reshape(-1, 4).T
    evaluations = Evaluations(
        run=np.zeros(len(cells), dtype=int),
        split=columns[0].astype(int),
        after_task=columns[1].astype(int),
        on_task=columns[2].astype(int),
        value=columns[3],
    )
    derived = matrix_metrics(np.array([result.measure]), np.array([len(result.test)]), evaluations)
    values: dict[str, float | None] = {name: float(array[0]) for name, array in derived.items()}
    values |= static_metrics(result.counts)
    values |= {name: metric.derive(result) for name, metric in _of_kind("cost").items()}
    return {name: nan_to_none(values[name]) for name in METRICS}


def matrix_metrics(
    measure: NDArray[np.str_], n_tasks: NDArray[np.int_], evaluations: Evaluations
) -> dict[str, NDArray[np.float64]]:
    """Return the metrics of kind "matrix" of many runs at once.

    Args:
        measure: "accuracy" or "mse" of each run, (n_runs,).
        n_tasks: T of each run, (n_runs,).
        evaluations: their cells, in any order.

    Returns:
        One array (n_runs,) per metric, NaN where not defined.
    """
    import numpy as np

    matrices, metrics = Matrices(n_tasks, evaluations), _of_kind("matrix")
    derived = {derive: derive(matrices) for derive in {metric.derive for metric in metrics.values()}}
    return {
        name: derived[metric.derive]
        if metric.measure is None
        else np.where(measure == metric.measure, derived[metric.derive], np.nan)
        for name, metric in metrics.items()
    }


def static_metrics(counts: WeightCounts) -> dict[str, float | None]:
    """Return the metrics known before training; counts of weights, bytes and multiply-adds are integers."""
    return {name: metric.derive(counts) for name, metric in _of_kind("count").items()}


def _of_kind(kind: str) -> dict[str, Metric]:
    return {name: metric for name, metric in METRICS.items() if metric.kind == kind}
