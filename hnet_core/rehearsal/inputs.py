"""Inputs of earlier tasks for many steps at a time: sampled from a generator, or real ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor

from hnet_core.generators.generator import Generator, Sampler
from hnet_core.problem import Problem
from hnet_core.runtime import within_task
from hnet_core.seeding import generator
from hnet_core.streams import Split

STEPS_AT_ONCE = 16  # the weights of a generator are generated once for so many steps


class RehearsedInputs(Protocol):
    """Inputs of earlier tasks.

    Attributes:
        tasks: the earlier task of each row of a step; None where it is unknown.
        n_rows: rows of a step.
        draws: the random draws they are made from.
    """

    draws: torch.Generator

    @property
    def tasks(self) -> Tensor | None: ...

    n_rows: int

    def draw(self, n_steps: int) -> Tensor:
        """Return the inputs of the next steps, (n_steps, n_rows, n_inputs)."""


class Steps:
    """Rehearsed inputs step by step, drawn for many steps at a time; a run can be resumed between any two of them.

    Args:
        prepare: computes what a step needs from the inputs of many, (n_steps, n_rows, n_inputs): one entry per step.
    """

    def __init__(self, inputs: RehearsedInputs, prepare: Callable[[Tensor], Sequence[Any]]) -> None:
        self._inputs, self._prepare = inputs, prepare
        self._before, self._position = inputs.draws.get_state(), 0
        self._drawn: Sequence[Any] = ()
        within_task.note(lambda: {"draws": self._before, "position": self._position}, self._go_to)

    def __next__(self) -> Any:
        if not len(self._drawn):
            self._drawn = self._prepare(self._inputs.draw(STEPS_AT_ONCE))
        of_step = self._drawn[self._position]
        self._position += 1
        if self._position == STEPS_AT_ONCE:
            self._before, self._position, self._drawn = self._inputs.draws.get_state(), 0, ()
        return of_step

    def _go_to(self, state: dict[str, Any]) -> None:
        self._before, self._position, self._drawn = state["draws"], state["position"], ()
        self._inputs.draws.set_state(self._before)


class SampledPerTask:
    """Equally many samples of every earlier task from a generator with a condition, or weights, per task.

    The generator must stay as it is while they are drawn. Memory does not grow with the tasks: the decoder's weights
    of one task exist at a time.

    Args:
        problem: of the trial.
        task: the present one.
        n_rows: samples of a step, rounded up to equally many of each task, as in the official code.
    """

    def __init__(self, network: Generator, problem: Problem, task: int, n_rows: int) -> None:
        self._network, self._task = network, task
        self._per_task = -(-n_rows // task)
        self.n_rows = task * self._per_task
        self.tasks = torch.arange(task).repeat_interleave(self._per_task)
        self._like = torch.empty(0, dtype=problem.dtype, device=problem.device)
        self._n_inputs = problem.shape.n_inputs
        self.draws = generator(problem.seed, "rehearsal", task)

    def draw(self, n_steps: int) -> Tensor:
        inputs = self._like.new_empty(n_steps, self._task, self._per_task, self._n_inputs)
        for task in range(self._task):
            samples = self._network.sampler(task)(n_steps * self._per_task, self.draws)
            inputs[:, task] = samples.view(n_steps, self._per_task, -1)
        return inputs.flatten(1, 2)


class SampledTogether:
    """Samples of all earlier tasks from one copy of a generator that knows none of them apart.

    Args:
        sampler: of the generator before the present task.
        task: the present one.
    """

    def __init__(self, sampler: Sampler, problem: Problem, task: int, n_rows: int) -> None:
        self._sampler, self.n_rows = sampler, n_rows
        self.tasks = None
        self.draws = generator(problem.seed, "rehearsal", task)

    def draw(self, n_steps: int) -> Tensor:
        return self._sampler(n_steps * self.n_rows, self.draws).view(n_steps, self.n_rows, -1)


class RealInputs:
    """Equally many training inputs of every earlier task, drawn at random with replacement.

    Args:
        earlier: training examples of the tasks before the present one.
    """

    def __init__(self, earlier: Sequence[Split], problem: Problem, n_rows: int) -> None:
        self._earlier, self._problem = earlier, problem
        self._per_task = -(-n_rows // len(earlier))
        self.n_rows = len(earlier) * self._per_task
        self.tasks = torch.arange(len(earlier)).repeat_interleave(self._per_task)
        self.draws = generator(problem.seed, "rehearsal", len(earlier))

    def draw(self, n_steps: int) -> Tensor:
        problem, n = self._problem, n_steps * self._per_task
        of_tasks = []
        for split in self._earlier:
            index = torch.randint(len(split), (n,), generator=self.draws).to(problem.device)
            inputs, _ = split.batch(index, problem.dtype, self.draws)
            of_tasks.append(inputs.view(n_steps, self._per_task, -1))
        return torch.cat(of_tasks, dim=1)
