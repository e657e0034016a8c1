"""The matrices of a run: a row for each trained task, the measure on every task seen so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from hnet_core.evaluation.evaluator import Evaluator, Kind
from hnet_core.methods import Method, Problem
from hnet_core.methods.protocol import MeasuresGradientCosines
from hnet_core.streams import Stream
from hnet_core.task_inference import TaskInference

MatrixRow = tuple[float | None, ...]
MATRIX_OF: dict[Kind, str] = {"scenario": "test"}  # others have the name of their kind


@dataclass
class ResultsSoFar:
    """Results of the finished tasks; plain lists, so that a checkpoint loads with weights_only=True."""

    untrained: list[float]
    test: list[MatrixRow] = field(default_factory=list)
    validation: list[MatrixRow] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    peak_memory_mib: float = 0.0
    known_task: list[MatrixRow] = field(default_factory=list)
    inferred_task: list[MatrixRow] = field(default_factory=list)
    task_inference: list[MatrixRow] = field(default_factory=list)
    gradient_cosine: list[MatrixRow] = field(default_factory=list)

    @property
    def has_gradient_cosine(self) -> bool:
        return any(value is not None for row in self.gradient_cosine for value in row)

    def add(self, task: int, rows: dict[str, MatrixRow], seconds: float, peak_memory_mib: float) -> None:
        """Append the rows after a task; tasks before it without a row were not trained on their own."""
        for name, row in rows.items():
            matrix: list[MatrixRow] = getattr(self, name)
            matrix += [(None,) * len(row)] * (task - len(matrix))
            matrix.append(row)
        self.seconds += [0.0] * (task - len(self.seconds))
        self.seconds.append(seconds)
        self.peak_memory_mib = max(self.peak_memory_mib, peak_memory_mib)

    def state(self) -> dict[str, Any]:
        return _copied(vars(self))

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> ResultsSoFar:
        return cls(**_copied(state))


def _copied(state: dict[str, Any]) -> dict[str, Any]:
    return {key: list(value) if isinstance(value, list) else value for key, value in state.items()}


class ResultMatrices:
    """Measures the rows of the matrices of a run.

    Args:
        inference: finds the task, for a method with a network per task; None where nothing does.
    """

    def __init__(self, problem: Problem, method: Method, inference: TaskInference | None, stream: Stream) -> None:
        self._problem, self._method, self._inference, self._tasks = problem, method, inference, stream.tasks

    def untrained(self) -> list[float]:
        """Return the measure of the untrained model on the test split of each task, with the task known."""
        evaluator = Evaluator(self._problem, self._method, None, len(self._tasks))
        return [evaluator.measure(i, task.test)["scenario"] for i, task in enumerate(self._tasks)]

    def rows(self, after: int) -> dict[str, MatrixRow]:
        """Measure every task seen so far; return a row of each matrix of the result, by its name."""
        evaluator = Evaluator(self._problem, self._method, self._inference, after + 1)
        unseen = (None,) * (len(self._tasks) - after - 1)
        measured = [evaluator.measure(i, task.test) for i, task in enumerate(self._tasks[: after + 1])]
        rows: dict[str, MatrixRow] = {
            MATRIX_OF.get(kind, kind): (*(one[kind] for one in measured), *unseen) for kind in measured[0]
        }
        rows["validation"] = (None,) * len(self._tasks)
        if self._tasks[0].validation is not None:
            rows["validation"] = (*(self._on_validation(evaluator, task) for task in range(after + 1)), *unseen)
        if isinstance(self._method, MeasuresGradientCosines):
            rows["gradient_cosine"] = (*(None,) * after, _mean_cosine(self._method.gradient_cosines[after:]), *unseen)
        return rows

    def validation(self, tasks: Sequence[int]) -> float:
        """Return the mean measure on the validation splits of these tasks, with the task known."""
        evaluator = Evaluator(self._problem, self._method, None, tasks[-1] + 1)
        return sum(self._on_validation(evaluator, task) for task in tasks) / len(tasks)

    def _on_validation(self, evaluator: Evaluator, task: int) -> float:
        examples = self._tasks[task].validation
        if examples is None:
            raise ValueError("the stream must hold examples out of training, got none.")
        return evaluator.measure(task, examples)["scenario"]


def _mean_cosine(of_task: Sequence[Sequence[float]]) -> float | None:
    """Return the mean over the steps of a task; None while it is trained, or where it has no regulariser."""
    if not of_task or not of_task[0]:
        return None
    return min(1.0, max(-1.0, sum(of_task[0]) / len(of_task[0])))  # float32 may round beyond
