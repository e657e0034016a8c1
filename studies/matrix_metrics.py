"""The metrics that come from evaluations, for many runs at once; what each one means is in `studies.metrics`.

a[i][j] is the measure on task j after training task i, tasks 1 to T.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Evaluations:
    """The evaluated cells of many runs in long form, each array (n_cells,).

    Attributes:
        run: index of the run, from 0.
        is_validation: whether it was the validation split.
        after_task: tasks trained so far, from 1; rows of the untrained model (0) are ignored.
        on_task: task evaluated, from 1.
        value: accuracy or mse.
    """

    run: NDArray[np.int_]
    is_validation: NDArray[np.bool_]
    after_task: NDArray[np.int_]
    on_task: NDArray[np.int_]
    value: NDArray[np.float64]


def matrix_metrics(
    measure: NDArray[np.str_], n_tasks: NDArray[np.int_], evaluations: Evaluations
) -> dict[str, NDArray[np.float64]]:
    """The metrics of kind "matrix" of many runs at once.

    Args:
        measure: "accuracy" or "mse" of each run, (n_runs,).
        n_tasks: T of each run, (n_runs,).
        evaluations: their cells, in any order.

    Returns:
        One array (n_runs,) per metric, NaN where not defined.
    """
    import numpy as np

    cells = evaluations
    at_end = cells.after_task == n_tasks[cells.run]
    when_trained = cells.after_task == cells.on_task
    test = ~cells.is_validation
    final = _mean_over_tasks(cells, test & at_end, n_tasks)
    during = _mean_over_tasks(cells, test & when_trained, n_tasks)
    validation = _mean_over_tasks(cells, cells.is_validation & at_end, n_tasks)
    is_accuracy = measure == "accuracy"
    return {
        "final_accuracy": np.where(is_accuracy, final, np.nan),
        "during_accuracy": np.where(is_accuracy, during, np.nan),
        "validation_final_accuracy": np.where(is_accuracy, validation, np.nan),
        "forgetting": np.where(is_accuracy, _forgetting(cells, n_tasks), np.nan),
        "final_mse": np.where(is_accuracy, np.nan, final),
        "during_mse": np.where(is_accuracy, np.nan, during),
        "validation_final_mse": np.where(is_accuracy, np.nan, validation),
    }


def _mean_over_tasks(cells: Evaluations, chosen: NDArray[np.bool_], n_tasks: NDArray[np.int_]) -> NDArray[np.float64]:
    """Mean of the chosen cells of each run, NaN unless there is one for each task, (n_runs,)."""
    import numpy as np

    run = cells.run[chosen]
    found = np.bincount(run, minlength=len(n_tasks))
    total = np.bincount(run, weights=cells.value[chosen], minlength=len(n_tasks))
    return np.where(found == n_tasks, total / n_tasks, np.nan)


def _forgetting(cells: Evaluations, n_tasks: NDArray[np.int_]) -> NDArray[np.float64]:
    """Mean drop from the best cell before the last task, (n_runs,); NaN for T = 1 or where a cell is missing."""
    import numpy as np

    last = n_tasks[cells.run]
    earlier_task = ~cells.is_validation & (cells.on_task < last)
    before = earlier_task & (cells.after_task >= 1) & (cells.after_task < last)
    after = earlier_task & (cells.after_task == last)
    shape = (len(n_tasks), int(n_tasks.max(initial=1)))
    best, final = np.full(shape, np.nan), np.full(shape, np.nan)
    np.fmax.at(best, (cells.run[before], cells.on_task[before] - 1), cells.value[before])
    final[cells.run[after], cells.on_task[after] - 1] = cells.value[after]
    lost = best - final
    known = np.isfinite(lost).sum(axis=1)
    mean = np.nansum(lost, axis=1) / np.maximum(n_tasks - 1, 1)
    return np.where((n_tasks > 1) & (known == n_tasks - 1), mean, np.nan)
