"""The state of all that a run trains, as plain values for its checkpoints."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from hnet_core.methods import Method, Problem
from hnet_core.task_inference import TaskInference


class LearnedState:
    """Reads and loads the state of method, running statistics, optimisers and task inference."""

    def __init__(self, problem: Problem, method: Method, inference: TaskInference | None) -> None:
        self._problem, self._method, self._inference = problem, method, inference

    def between_tasks(self) -> dict[str, Any]:
        return {
            "method": self._method.state(),
            "statistics": self._problem.statistics.state(),
            "optimizers": self._problem.optimizers.state(),
            "task_inference": {} if self._inference is None else self._inference.state(),
        }

    def load_between_tasks(self, state: dict[str, Any]) -> None:
        self.load((state["method"], state["statistics"]))
        self._problem.optimizers.load_state(state.get("optimizers", []))  # absent in earlier checkpoints
        if self._inference is not None:
            self._inference.load_state(state["task_inference"])

    def within_task(self) -> tuple[dict[str, Any], Tensor]:
        """Return the states of method and statistics; the optimiser of a task notes its own (runtime.within_task)."""
        return self._method.state(), self._problem.statistics.state()

    def load(self, state: tuple[dict[str, Any], Tensor]) -> None:
        """Load the states of method and statistics."""
        self._method.load_state(state[0])
        self._problem.statistics.load_state(state[1])
