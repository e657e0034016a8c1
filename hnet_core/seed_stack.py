"""Several seeds of one configuration in one step: each acts as if it were alone, the last to come does the work."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

from torch import Tensor

from hnet_core.engines.step_protocols import Protection
from hnet_core.methods.protocol import Problem

Source = TypeVar("Source")


class SharedStep(Protocol):
    """Trains the weights of one or several seeds at once."""

    def start_task(self, task: int, protection: Protection | None) -> None:
        """Make ready for a task."""

    def take(self, seed: int, inputs: Tensor, labels: Tensor, tasks: Sequence[int] | None) -> None:
        """Keep the batch, and the previous tasks to protect, of the seed at this position for the coming step."""

    def step(self) -> None:
        """One gradient step on the batches taken."""


Make = Callable[[Sequence[Problem], Sequence[Source]], SharedStep]


def places(n_seeds: int) -> list[Place]:
    """Places of seeds that train together, each with a method, weights and an order of batches of its own.

    They must do the same in turns: all make their engines, all start the task, all make a step, and so on, always in
    the same order. On a GPU a small hypernetwork leaves most of the device idle, and several fill it; on a CPU nothing
    is gained (measured).
    """
    tables: dict[int, _Table] = {}
    return [Place(tables, position, n_seeds) for position in range(n_seeds)]


class Place:
    """Where a seed stands among those it trains with."""

    def __init__(self, tables: dict[int, _Table], position: int, n_seeds: int) -> None:
        self._tables, self._position, self._n_seeds = tables, position, n_seeds
        self._n_engines = 0

    def seat(self, problem: Problem, source: Source, make: Make[Source]) -> Seat:
        """The first engine of this seed shares a step with the first ones of the others, and so on."""
        number, self._n_engines = self._n_engines, self._n_engines + 1
        table = self._tables.setdefault(number, _Table(self._n_seeds))
        table.join(self._position, problem, source)
        if table.is_full:
            table.step = make(table.problems, table.sources)
            del self._tables[number]
        return Seat(table, self._position)


def seat(problem: Problem, source: Source, make: Make[Source]) -> Seat:
    """The engine of the problem's seed, made with those of the seeds it trains with, if there are any."""
    return (problem.place or places(1)[0]).seat(problem, source, make)


class Seat:
    """The engine of one seed; a HypernetStep and an OwnWeightsStep."""

    def __init__(self, table: _Table, position: int) -> None:
        self._table, self._position = table, position

    @property
    def shared(self) -> SharedStep:
        """The step that trains this seed and those beside it."""
        if self._table.step is None:
            raise RuntimeError("every seed must have made its engine before one takes a step; let them take turns.")
        return self._table.step

    def start_task(self, task: int, protection: Protection | None = None) -> None:
        if self._table.all_have_come(self._position):
            self.shared.start_task(task, protection)

    def step(self, inputs: Tensor, labels: Tensor, tasks: Sequence[int] | None = None) -> None:
        self.shared.take(self._position, inputs, labels, tasks)
        if self._table.all_have_come(self._position):
            self.shared.step()


class _Table:
    """Where the seeds of one step meet."""

    def __init__(self, n_seeds: int) -> None:
        self.problems: list[Problem] = []
        self.sources: list[Any] = []
        self.step: SharedStep | None = None
        self._n_seeds, self._next = n_seeds, 0

    @property
    def is_full(self) -> bool:
        return len(self.sources) == self._n_seeds

    def join(self, position: int, problem: Problem, source: object) -> None:
        if position != len(self.sources):
            raise RuntimeError(
                f"seeds that train together must take turns: {len(self.sources)} is next, not {position}."
            )
        self.problems.append(problem)
        self.sources.append(source)

    def all_have_come(self, position: int) -> bool:
        """Note that a seed has come, and say whether it is the last of a round."""
        if position != self._next:
            raise RuntimeError(f"seeds that train together must take turns: {self._next} is next, not {position}.")
        self._next = (position + 1) % self._n_seeds
        return self._next == 0
