"""What a training step of a hypernetwork computes; the engines differ in how."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from torch import Tensor

from hnet_core.regularizers.options import Protection


class HypernetStep(Protocol):
    """Trains theta and the embedding of one task at a time with Adam; theta and embeddings are the weight source's."""

    def start_task(self, task: int, protection: Protection | None = None) -> None:
        """Make ready for a task: a new Adam, and theta as it is now to hold on to."""

    def step(self, inputs: Tensor, labels: Tensor, tasks: Sequence[int] | None = None) -> None:
        """One gradient step on one batch; `tasks` are the previous tasks to protect in it, None for all."""
