"""The gradient of the loss with respect to the flat target weights, for any target network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor

from hnet_core.engines.kernels.activations import in_place
from hnet_core.engines.kernels.mlp_gradient import MlpGradient
from hnet_core.problem import Problem
from hnet_core.targets.mlp import Mlp


class TargetGradient(Protocol):
    """Gradient of the task's mean loss at `weights` (n_weights,), written into `gradient` (n_weights,).

    The two may share memory. Weights, gradient, inputs and labels may all have a leading dimension of
    stacked seeds.
    """

    @property
    def recordable(self) -> bool:
        """True if `fill` runs the same operations each time, so that it can be recorded; known after a first call."""

    def start_task(self, task: int) -> None:
        """Use the head of this task from now on."""

    def fill(self, inputs: Tensor, labels: Tensor) -> None:
        """Fill the gradient for one batch."""


def target_gradient(problems: Sequence[Problem], weights: Tensor, gradient: Tensor) -> TargetGradient:
    """Return the gradient by hand for an MLP without dropout, by autograd for any other target network.

    Args:
        problems: one per stacked seed.
        weights, gradient: buffers that stay in place, (n_weights,) or (S, n_weights) each, or one for both.
    """
    target: object = problems[0].target
    if type(target) is Mlp and not target.drops_out and in_place(target.activation) is not None:
        smoothing = problems[0].training.label_smoothing
        return MlpGradient(target, problems[0].training_heads, weights, gradient, smoothing)
    return AutogradGradient(problems, weights, gradient)


class AutogradGradient:
    """Automatic differentiation down to one flat leaf per seed."""

    def __init__(self, problems: Sequence[Problem], weights: Tensor, gradient: Tensor) -> None:
        self._problems, self._stacked = problems, weights.dim() > 1
        self._weights, self._gradients = self._per_seed(weights), self._per_seed(gradient)
        self._task = 0

    @property
    def recordable(self) -> bool:
        return not any(problem.statistics.draws_noise for problem in self._problems)  # the host draws it for each pass

    def start_task(self, task: int) -> None:
        self._task = task

    def fill(self, inputs: Tensor, labels: Tensor) -> None:
        batches = self._per_seed(inputs), self._per_seed(labels)
        seeds = zip(self._problems, self._weights, *batches, self._gradients, strict=True)
        for problem, weights, own_inputs, own_labels, result in seeds:
            leaf = weights.detach().requires_grad_()
            with torch.enable_grad():
                loss = problem.task_loss(self._task, leaf, own_inputs, own_labels)
            (gradient,) = torch.autograd.grad(loss, [leaf])
            result.copy_(gradient)

    def _per_seed(self, tensor: Tensor) -> list[Tensor]:
        return list(tensor) if self._stacked else [tensor]
