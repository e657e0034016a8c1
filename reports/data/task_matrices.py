"""Accuracy matrices of a few configurations, averaged over seeds with their intervals."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reports.data.trial import Trial
from reports.table import Row, interval_cells
from studies.missing import nan_to_none
from studies.statistics.interval import Interval
from studies.statistics.intervals import bounded, over_seeds

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from studies.queries.studies import Studies

# Matrices of a run that infers the task: the measure with the task known, and inferred, and the share of inputs whose
# task is inferred right.
SHARE_RIGHT = "task_inference"
INFERENCE = ("known_task", "inferred_task", SHARE_RIGHT)


@dataclass(frozen=True)
class TaskMatrix:
    """The measure on each task after each task, over the seeds of one configuration.

    Attributes:
        mean, low, high: (n_tasks + 1, n_tasks); row 0 is the untrained model, NaN where not evaluated (or no interval).
        n: seeds behind each cell, the same shape.
    """

    trial: Trial
    mean: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    n: NDArray[np.int_]

    @property
    def n_tasks(self) -> int:
        return int(self.mean.shape[1])

    @property
    def has_during(self) -> bool:
        """Return whether any task but the last was evaluated right after it was trained."""
        return self.n_tasks == 1 or any(self.during(task).mean is not None for task in range(1, self.n_tasks))

    def cell(self, after_task: int, on_task: int) -> Interval:
        """Return one cell; tasks count from 1, `after_task` 0 is the untrained model."""
        at = (after_task, on_task - 1)
        mean, low, high = (nan_to_none(float(array[at])) for array in (self.mean, self.low, self.high))
        metric = "final_accuracy" if self.trial.mean("final_accuracy") is not None else "final_mse"
        return bounded(metric, Interval(mean, low, high, int(self.n[at])))

    def final(self, task: int) -> Interval:
        return self.cell(self.n_tasks, task)

    def during(self, task: int) -> Interval:
        return self.cell(task, task)


Inference = Mapping[str, TaskMatrix]  # by its name in INFERENCE


def read_matrices(studies: Studies, study: str, trials: Sequence[Trial]) -> list[TaskMatrix]:
    """Read the test matrix of each of some configurations."""
    found = studies.matrices_of(study, [trial.number for trial in trials])
    return [task_matrix(trial, found[trial.number]) for trial in trials]


def read_inference(studies: Studies, study: str, trials: Sequence[Trial]) -> dict[int, Inference]:
    """Read the matrices of task inference of each trial that has them, by its number."""
    inferring = [trial for trial in trials if trial.mean("task_inference_accuracy") is not None]
    if not inferring:
        return {}
    numbers = [trial.number for trial in inferring]
    found = {name: studies.matrices_of(study, numbers, name) for name in INFERENCE}
    return {
        trial.number: {name: task_matrix(trial, found[name][trial.number]) for name in INFERENCE} for trial in inferring
    }


def task_matrix(trial: Trial, runs: NDArray[np.float64]) -> TaskMatrix:
    """Compute mean and 95 % t interval of every cell over the seeds.

    Args:
        runs: (n_seeds, n_tasks + 1, n_tasks), NaN where not evaluated.
    """
    import numpy as np

    n_seeds, *shape = runs.shape
    cells = np.tile(np.arange(math.prod(shape)), n_seeds)
    mean, low, high = (found.reshape(shape) for found in over_seeds(cells, runs.ravel()))
    return TaskMatrix(trial, mean, low, high, (~np.isnan(runs)).sum(axis=0))


def untrained_mean(matrix: TaskMatrix) -> float | None:
    """Return the mean of the untrained model over the tasks: the chance level as measured."""
    import numpy as np

    row = matrix.mean[0]
    return None if np.isnan(row).any() else float(row.mean())


def task_rows(matrices: Mapping[int, TaskMatrix]) -> list[Row]:
    """List final and during measure, one row per configuration and task."""
    return [
        {
            "number": number,
            "task": task,
            "n": matrix.final(task).n,
            **interval_cells("final", matrix.final(task)),
            **interval_cells("during", matrix.during(task)),
        }
        for number, matrix in matrices.items()
        for task in range(1, matrix.n_tasks + 1)
    ]


def matrix_rows(matrices: Mapping[int, TaskMatrix]) -> list[Row]:
    """List every evaluated cell, one row each."""
    return [
        {
            "number": number, "after_task": after, "on_task": task, "n": cell.n,
            "mean": cell.mean, "low": cell.low, "high": cell.high,
        }
        for number, matrix in matrices.items()
        for after in range(matrix.n_tasks + 1)
        for task in range(1, matrix.n_tasks + 1)
        if (cell := matrix.cell(after, task)).mean is not None
    ]  # fmt: skip


def inference_rows(found: Mapping[int, Inference]) -> list[Row]:
    """List every evaluated cell of the matrices of task inference, one row each."""
    return [
        {**row, "matrix": name}
        for number, matrices in found.items()
        for name, matrix in matrices.items()
        for row in matrix_rows({number: matrix})
    ]
