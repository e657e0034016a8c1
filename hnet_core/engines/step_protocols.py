"""The protocol of a training step of a hypernetwork, which every engine implements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from torch import Tensor

from hnet_core.regularizers.options import Protection


class HypernetStep(Protocol):
    """Training of theta and of the embedding of one task at a time, both of a weight source, with Adam."""

    def start_task(self, task: int, protection: Protection | None = None) -> None:
        """Prepare for a task: create a new Adam, and keep the present theta for the regulariser."""

    def step(self, inputs: Tensor, labels: Tensor, tasks: Sequence[int] | None = None) -> None:
        """Make one gradient step on one batch; `tasks` are the previous tasks to protect in it, None for all."""
