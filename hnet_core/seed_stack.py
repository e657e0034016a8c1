"""Several seeds of one configuration in one training step.

Each member calls `start_task` and `step` as if it were alone; the last caller of a round runs the stacked step.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

from torch import Tensor

from hnet_core.regularizers.options import Protection

Problem = TypeVar("Problem")  # handed on to `make`
Source = TypeVar("Source")


class SharedStep(Protocol):
    """Training of the weights of one or several seeds at once."""

    @property
    def inputs_gradient(self) -> Tensor:
        """Gradient with respect to the inputs of the last step, (n, n_inputs), or (S, ...) of several seeds."""

    def start_task(self, task: int, protection: Protection | None) -> None:
        """Prepare for a task."""

    def set_batch(self, seed: int, inputs: Tensor, labels: Tensor, tasks: Sequence[int] | None) -> None:
        """Keep the batch, and the previous tasks to protect, of the seed at this position for the coming step."""

    def step(self) -> None:
        """Make one gradient step on the batches of all seeds."""


Make = Callable[[Sequence[Problem], Sequence[Source]], SharedStep]


def stack_members(n_seeds: int) -> list[StackMember]:
    """Return the members of a stack of seeds that train together, each with its own method, weights and batches.

    They must make the same calls in turn: all create their engines, all start the task, all make a step, always in
    the same order. On a GPU a small hypernetwork leaves most of the device idle, and several fill it; on a CPU nothing
    is gained (measured).
    """
    stacks: dict[int, _Stack] = {}
    return [StackMember(stacks, position, n_seeds) for position in range(n_seeds)]


class StackMember:
    """One of the seeds that train together."""

    def __init__(self, stacks: dict[int, _Stack], position: int, n_seeds: int) -> None:
        self._stacks, self._position, self._n_seeds = stacks, position, n_seeds
        self._n_engines = 0

    def join(self, problem: Problem, source: Source, make: Make[Problem, Source]) -> MemberStep:
        """Return the step of an engine of this seed; its n-th engine shares one step with the n-th of the others."""
        number, self._n_engines = self._n_engines, self._n_engines + 1
        stack = self._stacks.setdefault(number, _Stack(self._n_seeds))
        stack.add(self._position, problem, source)
        if stack.is_full:
            stack.step = make(stack.problems, stack.sources)
            del self._stacks[number]
        return MemberStep(stack, self._position)


def member_step(
    member: StackMember | None, problem: Problem, source: Source, make: Make[Problem, Source]
) -> MemberStep:
    """Return the step of one seed, shared with the other members of its stack if it has any."""
    return (member or stack_members(1)[0]).join(problem, source, make)


class MemberStep:
    """The step of one member; a HypernetStep and an OwnWeightsStep."""

    def __init__(self, stack: _Stack, position: int) -> None:
        self._stack, self._position = stack, position

    @property
    def shared(self) -> SharedStep:
        """The step that trains all members."""
        if self._stack.step is None:
            raise RuntimeError("every seed must have made its engine before one takes a step; let them take turns.")
        return self._stack.step

    @property
    def inputs_gradient(self) -> Tensor:
        """Gradient with respect to the inputs of the last step of one seed that trains alone, (n, n_inputs)."""
        return self.shared.inputs_gradient

    def start_task(self, task: int, protection: Protection | None = None) -> None:
        if self._stack.ends_round(self._position):
            self.shared.start_task(task, protection)

    def step(self, inputs: Tensor, labels: Tensor, tasks: Sequence[int] | None = None) -> None:
        self.shared.set_batch(self._position, inputs, labels, tasks)
        if self._stack.ends_round(self._position):
            self.shared.step()


class _Stack:
    """The seeds of one step, in their order."""

    def __init__(self, n_seeds: int) -> None:
        self.problems: list[Any] = []
        self.sources: list[Any] = []
        self.step: SharedStep | None = None
        self._n_seeds, self._next = n_seeds, 0

    @property
    def is_full(self) -> bool:
        return len(self.sources) == self._n_seeds

    def add(self, position: int, problem: object, source: object) -> None:
        if position != len(self.sources):
            raise RuntimeError(
                f"seeds that train together must take turns: {len(self.sources)} is next, not {position}."
            )
        self.problems.append(problem)
        self.sources.append(source)

    def ends_round(self, position: int) -> bool:
        """Count the call of a member, and return whether it is the last of a round."""
        if position != self._next:
            raise RuntimeError(f"seeds that train together must take turns: {self._next} is next, not {position}.")
        self._next = (position + 1) % self._n_seeds
        return self._next == 0
