"""Outputs over which the loss of an example is formed in training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from hnet_core.streams.stream import StreamShape

Classes = Literal["own_head", "seen", "all"]


@dataclass(frozen=True)
class TrainingHeads:
    """Outputs of the loss for the examples of each task.

    A network of its own for every task is trained over the head of that task, in every scenario. One network for all
    tasks must tell classes of different tasks apart in scenario class, so it is trained over the classes seen so far
    (van de Ven and Tolias, "Three scenarios for continual learning", 2019, https://arxiv.org/abs/1904.07734).

    Attributes:
        shape: of the stream.
        classes: own_head; seen: those of the task and of all before it; all: those of every task.
    """

    shape: StreamShape
    classes: Classes = "own_head"

    def outputs(self, task: int) -> slice:
        """Return the outputs of the loss on a task."""
        head = self.shape.head(task)
        if self.classes == "own_head":
            return head
        return slice(0, head.stop if self.classes == "seen" else self.shape.n_outputs)

    def offset(self, task: int) -> int:
        """Return the number of those outputs before the head of the task."""
        start: int = self.shape.head(task).start - self.outputs(task).start
        return start

    def labels(self, task: int, labels: Tensor) -> Tensor:
        """Return labels within the task, (n,), as labels within `outputs(task)`; targets of a regression unchanged."""
        offset = self.offset(task)
        return labels + offset if offset else labels
