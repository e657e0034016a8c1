"""Both engines for a target network that is trained itself, without a hypernetwork."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from hnet_core.engines.adam import FlatAdam
from hnet_core.engines.target_gradient import target_gradient
from hnet_core.methods.method import Problem
from hnet_core.methods.weights import OwnWeights


class OwnWeightsStep(Protocol):
    """Trains the weights of one network on one task at a time with Adam."""

    def start_task(self, task: int) -> None:
        """Make ready for a task: a new Adam."""

    def step(self, inputs: Tensor, labels: Tensor) -> None:
        """One gradient step on one batch."""


def own_weights_step(problem: Problem, source: OwnWeights) -> OwnWeightsStep:
    """The engine that `training.engine` asks for; auto takes the fast one, which trains every target network."""
    if problem.training.engine == "plain":
        return PlainOwnWeights(problem, source)
    return FastOwnWeights(problem, source)


class PlainOwnWeights:
    """Automatic differentiation and torch.optim.Adam."""

    def __init__(self, problem: Problem, source: OwnWeights) -> None:
        self._problem, self._source = problem, source

    def start_task(self, task: int) -> None:
        self._task = task
        self._adam = self._problem.adam(self._source.parameters(task))

    def step(self, inputs: Tensor, labels: Tensor) -> None:
        flat = self._source.flat
        loss = self._problem.task_loss(self._task, flat, inputs, labels)
        (flat.grad,) = torch.autograd.grad(loss, [flat])
        self._adam.step()


class FastOwnWeights:
    """The same on flat buffers: gradient by hand for an MLP, fused Adam."""

    def __init__(self, problem: Problem, source: OwnWeights) -> None:
        self._problem = problem
        self._weights = source.flat.detach()
        self._gradient = torch.zeros_like(self._weights)
        self._target = target_gradient(problem, self._weights, self._gradient)

    def start_task(self, task: int) -> None:
        self._target.start_task(task)
        self._adam = FlatAdam(self._problem.training, [self._weights], [self._gradient])

    def step(self, inputs: Tensor, labels: Tensor) -> None:
        with torch.no_grad():
            self._target.fill(inputs, labels)
            self._adam.begin_step()
            self._adam.step()
