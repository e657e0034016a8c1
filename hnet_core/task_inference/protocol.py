"""The protocol of task inference."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import torch
from torch import Tensor

from hnet_core.methods.protocol import Method
from hnet_core.problem import Predictor, Problem
from hnet_core.streams import Split, StreamShape
from hnet_core.targets import Target
from hnet_core.trial import ComponentOptions, TrialConfig, WeightCounts


@dataclass(frozen=True)
class InferenceCounts:
    """Weights and operations that finding the task costs, on top of those of the method.

    Attributes:
        weights: needed to infer the task of an input after the last task; part of the model.
        per_task: of these, added by one further task.
        hypernet: of these, weights of hypernetworks.
        memory_bytes: kept from task to task only to learn further ones.
        multiply_adds: to infer the task of one input, beyond classifying it with the network of one task.
        generator, generator_hypernet: weights of a generator to rehearse from, see WeightCounts.
    """

    weights: int = 0
    per_task: int = 0
    hypernet: int = 0
    memory_bytes: int = 0
    multiply_adds: int = 0
    generator: int = 0
    generator_hypernet: int = 0


class TaskOutputs:
    """A batch of inputs and the outputs of the networks of the tasks seen so far, each computed once.

    Args:
        predictors: of the tasks seen so far, outputs (n, C) each.
        extractor: returns the function of a task from inputs to features before its head; None without one.

    Attributes:
        inputs: (n, n_inputs).
    """

    def __init__(
        self,
        inputs: Tensor,
        predictors: Sequence[Predictor],
        extractor: Callable[[int], Predictor] | None = None,
    ) -> None:
        self.inputs = inputs
        self._predictors, self._extractor = predictors, extractor
        self._outputs: dict[int, Tensor] = {}

    @property
    def n_seen(self) -> int:
        """Number of tasks seen so far."""
        return len(self._predictors)

    def of_task(self, task: int) -> Tensor:
        """Return the outputs of the head of a task by its own network, (n, C)."""
        if task not in self._outputs:
            self._outputs[task] = self._predictors[task](self.inputs)
        return self._outputs[task]

    def features(self, task: int) -> Tensor:
        """Return the features before the head of a task by its own network, (n, n_features)."""
        if self._extractor is None:
            raise ValueError("the method must give features; name the reason in TaskInference.unsupported.")
        return self._extractor(task)(self.inputs)

    def of_tasks(self, tasks: Tensor) -> Tensor:
        """Return for each input the outputs by the network of the task given for it, (n, C)."""
        found: Tensor | None = None
        for task in tasks.unique().tolist():
            outputs = self.of_task(task)
            found = torch.empty_like(outputs) if found is None else found
            chosen = tasks == task
            found[chosen] = outputs[chosen]
        if found is None:
            raise ValueError("tasks must name one task for each input, got none.")
        return found


class TaskInference(Protocol):
    """A way to find the task of an input; a class in a file of `hnet_core/task_inference`, or behind an entry point.

    For every task run_trial calls `training_after`, if it has one (`hnet_core.methods.protocol.TrainsAfterwards`),
    trains what that returns once the method has trained, and then calls end_task.

    Attributes:
        page: name of a page in docs/methods that describes it, without .md; None without one.
        tested_options: options that the contract test trains, one configuration each; `({},)` for the defaults only.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    Options: ClassVar[type[ComponentOptions]]
    page: ClassVar[str | None]
    tested_options: ClassVar[tuple[dict[str, Any], ...]]

    def __init__(self, options: Any, problem: Problem, method: Method) -> None: ...

    @staticmethod
    def unsupported(config: TrialConfig, shape: StreamShape, target: Target) -> str | None:
        """Return the reason why it cannot serve this method on this stream with this target; None if it can."""

    @staticmethod
    def counts(options: Any, shape: StreamShape, target: Target, counts: WeightCounts) -> InferenceCounts:
        """Count what it needs besides the method, whose own `counts` are given."""

    def end_task(self, task: int, train: Split) -> None:
        """Read the training examples of a task that the method has learnt."""

    def infer(self, outputs: TaskOutputs) -> Tensor:
        """Return the task of each input, from 0 to n_seen - 1, int64 (n,)."""

    def state(self) -> dict[str, Any]:
        """Return all state to keep between tasks; {} for none."""

    def load_state(self, state: dict[str, Any]) -> None:
        """Restore a state() saved after a task."""
