"""The metrics that come from evaluations, for many runs at once; `definitions` says what each one means.

a[i][j] is the measure on task j after training task i, tasks 1 to T; b[j] that of the untrained model.
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
        after_task: tasks trained so far, from 1; 0 is the untrained model.
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
    test = ~cells.is_validation
    at_end = cells.after_task == n_tasks[cells.run]
    when_trained = cells.after_task == cells.on_task
    final = _mean_over_tasks(cells, test & at_end, n_tasks)
    during = _mean_over_tasks(cells, test & when_trained, n_tasks)
    validation = _mean_over_tasks(cells, cells.is_validation & at_end, n_tasks)
    is_accuracy = measure == "accuracy"
    return {
        "final_accuracy": np.where(is_accuracy, final, np.nan),
        "during_accuracy": np.where(is_accuracy, during, np.nan),
        "average_incremental_accuracy": np.where(is_accuracy, _average_incremental(cells, test, n_tasks), np.nan),
        "validation_final_accuracy": np.where(is_accuracy, validation, np.nan),
        **{name: np.where(is_accuracy, values, np.nan) for name, values in _transfer(cells, test, n_tasks).items()},
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


def _average_incremental(cells: Evaluations, test: NDArray[np.bool_], n_tasks: NDArray[np.int_]) -> NDArray[np.float64]:
    """(1/T) sum_k (1/k) sum_{j<=k} a[k][j], NaN unless all T (T + 1) / 2 cells are there, (n_runs,)."""
    import numpy as np

    chosen = test & (cells.on_task <= cells.after_task)
    run = cells.run[chosen]
    found = np.bincount(run, minlength=len(n_tasks))
    total = np.bincount(run, weights=cells.value[chosen] / cells.after_task[chosen], minlength=len(n_tasks))
    return np.where(found == n_tasks * (n_tasks + 1) // 2, total / n_tasks, np.nan)


def _transfer(cells: Evaluations, test: NDArray[np.bool_], n_tasks: NDArray[np.int_]) -> dict[str, NDArray[np.float64]]:
    """What tasks do to one another: forgetting by its three definitions, transfer back and forth, (n_runs,)."""
    import numpy as np

    last = n_tasks[cells.run]
    trained = test & (cells.after_task >= 1)
    at_end = _per_task(cells, trained & (cells.after_task == last), n_tasks)
    when_trained = _per_task(cells, trained & (cells.after_task == cells.on_task), n_tasks)
    best_before_end = _per_task(cells, trained & (cells.after_task < last), n_tasks)
    before_trained = _per_task(cells, trained & (cells.after_task == cells.on_task - 1), n_tasks)
    untrained = _per_task(cells, test & (cells.after_task == 0), n_tasks)
    backward = _mean_of(at_end - when_trained, n_tasks, first=1)
    return {
        "forgetting": _mean_of(best_before_end - at_end, n_tasks, first=1),
        "forgetting_first": 0.0 - backward,
        "forgetting_mammoth": _mean_of(np.maximum(best_before_end, at_end) - at_end, n_tasks, first=1),
        "backward_transfer": backward,
        "forward_transfer": _mean_of(before_trained - untrained, n_tasks, first=2),
    }


def _per_task(cells: Evaluations, chosen: NDArray[np.bool_], n_tasks: NDArray[np.int_]) -> NDArray[np.float64]:
    """The highest of the chosen cells of each run and task, NaN where there is none, (n_runs, max T)."""
    import numpy as np

    table = np.full((len(n_tasks), int(n_tasks.max(initial=1))), np.nan)
    np.fmax.at(table, (cells.run[chosen], cells.on_task[chosen] - 1), cells.value[chosen])
    return table


def _mean_of(per_task: NDArray[np.float64], n_tasks: NDArray[np.int_], first: int) -> NDArray[np.float64]:
    """Mean over the T - 1 tasks from `first` on, (n_runs,); NaN for T = 1 or where a task is missing."""
    import numpy as np

    task = np.arange(1, per_task.shape[1] + 1)
    wanted = (task >= first) & (task < first + n_tasks[:, None] - 1)
    known = (wanted & np.isfinite(per_task)).sum(axis=1)
    total = np.where(wanted, np.nan_to_num(per_task), 0).sum(axis=1)
    return np.where((n_tasks > 1) & (known == n_tasks - 1), total / np.maximum(n_tasks - 1, 1), np.nan)
