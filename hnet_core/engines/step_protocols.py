"""The protocol of a training step of a hypernetwork, which every engine implements, and the choice of the engine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

from torch import Tensor

from hnet_core.errors import UnsupportedTrial
from hnet_core.regularizers.options import Protection


def picked(engine: Literal["auto", "plain", "fast"], reason: str | None) -> Literal["plain", "fast"]:
    """Return the engine of a step, of which `reason` says why the fast one cannot make it, None if it can.

    Raises:
        UnsupportedTrial: the fast engine is asked for, and cannot.
    """
    if engine == "plain" or (engine == "auto" and reason is not None):
        return "plain"
    if reason is not None:
        raise UnsupportedTrial(
            f"training.engine fast cannot train this: {reason}; use auto or plain.", key="training.engine"
        )
    return "fast"


class HypernetStep(Protocol):
    """Training of theta and of the embedding of one task at a time, both of a weight source."""

    @property
    def inputs_gradient(self) -> Tensor:
        """Gradient with respect to the inputs of the last step, (n, n_inputs); with Problem.inputs_gradient only."""

    def start_task(self, task: int, protection: Protection | None = None) -> None:
        """Prepare for a task: take its optimisers, and keep the present theta for the regulariser."""

    def step(self, inputs: Tensor, labels: Tensor, tasks: Sequence[int] | None = None) -> None:
        """Make one gradient step on one batch; `tasks` are the previous tasks to protect in it, None for all."""
