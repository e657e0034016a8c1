"""Metrics of kind "matrix" as functions of the evaluations of many runs; `definitions` describes each one.

a[i][j] is the measure on task j after training task i, tasks 1 to T; b[j] that of the untrained model.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from hnet_core.trial import MATRICES

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Evaluations:
    """The evaluated cells of many runs in long form, each array (n_cells,).

    Attributes:
        run: index of the run, from 0.
        split: index in hnet_core.trial.MATRICES of the matrix it belongs to.
        after_task: tasks trained so far, from 1; 0 is the untrained model.
        on_task: task evaluated, from 1.
        value: accuracy or mse.
    """

    run: NDArray[np.int_]
    split: NDArray[np.int_]
    after_task: NDArray[np.int_]
    on_task: NDArray[np.int_]
    value: NDArray[np.float64]


class Matrices:
    """The accuracy or mse matrices of many runs; what several metrics need is computed once.

    Args:
        n_tasks: T of each run, (n_runs,).
        cells: their evaluations, in any order.
    """

    def __init__(self, n_tasks: NDArray[np.int_], cells: Evaluations) -> None:
        self.n_tasks = n_tasks
        self.cells = cells
        self.is_test = self.is_of("test")

    def is_of(self, matrix: str) -> NDArray[np.bool_]:
        """Return which cells are of a matrix of hnet_core.trial.MATRICES, (n_cells,)."""
        found: NDArray[np.bool_] = self.cells.split == MATRICES.index(matrix)
        return found

    @cached_property
    def is_last(self) -> NDArray[np.bool_]:
        """True for cells evaluated after the last task, (n_cells,)."""
        found: NDArray[np.bool_] = self.cells.after_task == self.n_tasks[self.cells.run]
        return found

    @cached_property
    def is_trained(self) -> NDArray[np.bool_]:
        """True for test values of a model trained on at least one task, (n_cells,)."""
        found: NDArray[np.bool_] = self.is_test & (self.cells.after_task >= 1)
        return found

    @cached_property
    def at_end(self) -> NDArray[np.float64]:
        """a[T][j], (n_runs, max T)."""
        return self.per_task(self.is_trained & self.is_last)

    @cached_property
    def when_trained(self) -> NDArray[np.float64]:
        """a[j][j], (n_runs, max T)."""
        return self.per_task(self.is_trained & (self.cells.after_task == self.cells.on_task))

    @cached_property
    def best_before_end(self) -> NDArray[np.float64]:
        """max_{l<T} a[l][j], NaN unless a[l][j] is there for all j <= l < T, (n_runs, max T).

        A maximum over some of them could miss the best value, and be one from before the task was trained.
        """
        import numpy as np

        before_end = self.is_trained & ~self.is_last
        best = self.per_task(before_end)
        since_trained = before_end & (self.cells.after_task >= self.cells.on_task)
        found = np.zeros(best.shape, dtype=int)
        np.add.at(found, (self.cells.run[since_trained], self.cells.on_task[since_trained] - 1), 1)
        task = np.arange(1, best.shape[1] + 1)
        return np.where(found == self.n_tasks[:, None] - task, best, np.nan)

    def per_task(self, chosen: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return the highest of the chosen cells of each run and task, NaN where there is none, (n_runs, max T)."""
        import numpy as np

        table = np.full((len(self.n_tasks), int(self.n_tasks.max(initial=1))), np.nan)
        where = (self.cells.run[chosen], self.cells.on_task[chosen] - 1)
        np.fmax.at(table, where, self.cells.value[chosen])
        return table

    def mean_over_tasks(self, chosen: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return the mean of the chosen cells of each run, NaN unless there is one for each task, (n_runs,)."""
        import numpy as np

        run = self.cells.run[chosen]
        found = np.bincount(run, minlength=len(self.n_tasks))
        total = np.bincount(run, weights=self.cells.value[chosen], minlength=len(self.n_tasks))
        return np.where(found == self.n_tasks, total / self.n_tasks, np.nan)

    def mean_without_one(self, per_task: NDArray[np.float64], first: int) -> NDArray[np.float64]:
        """Return the mean over the T - 1 tasks from `first` on, (n_runs,); NaN for T = 1 or where a task is missing."""
        import numpy as np

        task = np.arange(1, per_task.shape[1] + 1)
        wanted = (task >= first) & (task < first + self.n_tasks[:, None] - 1)
        known = (wanted & np.isfinite(per_task)).sum(axis=1)
        total = np.where(wanted, np.nan_to_num(per_task), 0).sum(axis=1)
        is_defined = (self.n_tasks > 1) & (known == self.n_tasks - 1)
        return np.where(is_defined, total / np.maximum(self.n_tasks - 1, 1), np.nan)


def final(matrices: Matrices) -> NDArray[np.float64]:
    """Return (1/T) sum_j a[T][j], (n_runs,)."""
    return matrices.mean_over_tasks(matrices.is_test & matrices.is_last)


def during(matrices: Matrices) -> NDArray[np.float64]:
    """Return (1/T) sum_j a[j][j], (n_runs,)."""
    return matrices.mean_over_tasks(matrices.is_test & (matrices.cells.after_task == matrices.cells.on_task))


def validation_final(matrices: Matrices) -> NDArray[np.float64]:
    """Return `final` on the validation split, (n_runs,)."""
    return matrices.mean_over_tasks(matrices.is_of("validation") & matrices.is_last)


def known_task(matrices: Matrices) -> NDArray[np.float64]:
    """Return `final` with the task known, (n_runs,)."""
    return matrices.mean_over_tasks(matrices.is_of("known_task") & matrices.is_last)


def known_task_during(matrices: Matrices) -> NDArray[np.float64]:
    """Return `during` with the task known, (n_runs,)."""
    return matrices.mean_over_tasks(
        matrices.is_of("known_task") & (matrices.cells.after_task == matrices.cells.on_task)
    )


def inferred_task(matrices: Matrices) -> NDArray[np.float64]:
    """Return `final` with the task inferred, (n_runs,)."""
    return matrices.mean_over_tasks(matrices.is_of("inferred_task") & matrices.is_last)


def task_inference(matrices: Matrices) -> NDArray[np.float64]:
    """Return the share of inputs whose task is inferred right after the last task, mean over tasks, (n_runs,)."""
    return matrices.mean_over_tasks(matrices.is_of("task_inference") & matrices.is_last)


def gradient_cosine(matrices: Matrices) -> NDArray[np.float64]:
    """Return the mean of the cosines of tasks 2 to T, (n_runs,)."""
    return matrices.mean_without_one(matrices.per_task(matrices.is_of("gradient_cosine")), first=2)


def average_incremental(matrices: Matrices) -> NDArray[np.float64]:
    """Return (1/T) sum_k (1/k) sum_{j<=k} a[k][j], NaN unless all T (T + 1) / 2 cells are there, (n_runs,)."""
    import numpy as np

    cells, n_tasks = matrices.cells, matrices.n_tasks
    chosen = matrices.is_test & (cells.on_task <= cells.after_task)
    run = cells.run[chosen]
    found = np.bincount(run, minlength=len(n_tasks))
    total = np.bincount(run, weights=cells.value[chosen] / cells.after_task[chosen], minlength=len(n_tasks))
    return np.where(found == n_tasks * (n_tasks + 1) // 2, total / n_tasks, np.nan)


def forgetting(matrices: Matrices) -> NDArray[np.float64]:
    """Return 1/(T-1) sum_{j<T} ( max_{l<T} a[l][j] - a[T][j] ), (n_runs,)."""
    return matrices.mean_without_one(matrices.best_before_end - matrices.at_end, first=1)


def forgetting_first(matrices: Matrices) -> NDArray[np.float64]:
    """Return 1/(T-1) sum_{j<T} ( a[j][j] - a[T][j] ), (n_runs,)."""
    return 0.0 - backward_transfer(matrices)


def forgetting_mammoth(matrices: Matrices) -> NDArray[np.float64]:
    """Return 1/(T-1) sum_{j<T} ( max_l a[l][j] - a[T][j] ), (n_runs,)."""
    import numpy as np

    best = np.maximum(matrices.best_before_end, matrices.at_end)
    return matrices.mean_without_one(best - matrices.at_end, first=1)


def backward_transfer(matrices: Matrices) -> NDArray[np.float64]:
    """Return 1/(T-1) sum_{j<T} ( a[T][j] - a[j][j] ), (n_runs,)."""
    return matrices.mean_without_one(matrices.at_end - matrices.when_trained, first=1)


def forward_transfer(matrices: Matrices) -> NDArray[np.float64]:
    """Return 1/(T-1) sum_{j>1} ( a[j-1][j] - b[j] ), (n_runs,)."""
    cells = matrices.cells
    before_trained = matrices.per_task(matrices.is_trained & (cells.after_task == cells.on_task - 1))
    untrained = matrices.per_task(matrices.is_test & (cells.after_task == 0))
    return matrices.mean_without_one(before_trained - untrained, first=2)
