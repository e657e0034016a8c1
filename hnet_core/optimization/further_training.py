"""Training of a network on one task, besides the method's own steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class FurtherTraining:
    """Training of one network on one task, which may be interrupted between any two steps.

    A resumed run has the state from before the first step when it calls `start`, gets the state of the interruption,
    and goes on with the indices of the next step.

    Attributes:
        start: makes what changes with the steps: optimisers of `Problem.optimizer`, random generators of
            `hnet_core.seeding`; the state of each is part of a checkpoint.
        indices: examples of every step, drawn from a random generator that is not made in `start`.
        step: makes one gradient step on the examples of these indices.
    """

    start: Callable[[], None]
    indices: Iterator[Tensor]
    step: Callable[[Tensor], None]
