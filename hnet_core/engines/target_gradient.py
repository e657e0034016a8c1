"""The gradient of the loss with respect to the flat target weights, for any target network."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from hnet_core.engines.activations import in_place
from hnet_core.engines.mlp_gradient import MlpGradient
from hnet_core.methods.method import Problem
from hnet_core.targets.mlp import Mlp


class TargetGradient(Protocol):
    """Reads `weights` (n_weights,) and writes the gradient of the task's mean loss into `gradient` (n_weights,)."""

    def start_task(self, task: int) -> None:
        """Use the head of this task from now on."""

    def fill(self, inputs: Tensor, labels: Tensor) -> None:
        """Fill the gradient for one batch."""


def target_gradient(problem: Problem, weights: Tensor, gradient: Tensor) -> TargetGradient:
    """By hand for an MLP, by autograd for any other target network.

    Args:
        weights, gradient: buffers that stay where they are, (n_weights,) each.
    """
    target: object = problem.target
    if type(target) is Mlp and in_place(target.activation) is not None:
        return MlpGradient(target, problem.shape, weights, gradient)
    return AutogradGradient(problem, weights, gradient)


class AutogradGradient:
    """Automatic differentiation down to one flat leaf."""

    def __init__(self, problem: Problem, weights: Tensor, gradient: Tensor) -> None:
        self._problem, self._weights, self._gradient = problem, weights, gradient
        self._task = 0

    def start_task(self, task: int) -> None:
        self._task = task

    def fill(self, inputs: Tensor, labels: Tensor) -> None:
        leaf = self._weights.detach().requires_grad_()
        with torch.enable_grad():
            loss = self._problem.task_loss(self._task, leaf, inputs, labels)
        (gradient,) = torch.autograd.grad(loss, [leaf])
        self._gradient.copy_(gradient)
