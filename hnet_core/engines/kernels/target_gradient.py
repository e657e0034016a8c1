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
    def inputs_gradient(self) -> Tensor:
        """Gradient with respect to the inputs of the last `fill`, (n, n_inputs); with Problem.inputs_gradient only."""

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
        problem = problems[0]
        return MlpGradient(
            target,
            problem.training_heads,
            weights,
            gradient,
            problem.training.label_smoothing,
            problem.loss,
            wants_inputs_gradient=problem.inputs_gradient,
        )
    return AutogradGradient(problems, weights, gradient)


class AutogradGradient:
    """Automatic differentiation down to one flat leaf per seed."""

    def __init__(self, problems: Sequence[Problem], weights: Tensor, gradient: Tensor) -> None:
        self._problems, self._stacked = problems, weights.dim() > 1
        self._weights, self._gradients = self._per_seed(weights), self._per_seed(gradient)
        self._task = 0
        self.inputs_gradient = torch.empty(0)

    @property
    def recordable(self) -> bool:
        draws_noise = any(problem.statistics.draws_noise for problem in self._problems)  # the host, for each pass
        loss = self._problems[0].loss
        return not draws_noise and (loss is None or loss.recordable)

    def start_task(self, task: int) -> None:
        self._task = task

    def fill(self, inputs: Tensor, labels: Tensor) -> None:
        batches = self._per_seed(inputs), self._per_seed(labels)
        seeds = zip(self._problems, self._weights, *batches, self._gradients, strict=True)
        of_inputs: list[Tensor] = []
        for problem, weights, own_inputs, own_labels, result in seeds:
            leaves = [weights.detach().requires_grad_()]
            if problem.inputs_gradient:
                own_inputs = own_inputs.detach().requires_grad_()
                leaves.append(own_inputs)
            with torch.enable_grad():
                loss = problem.task_loss(self._task, leaves[0], own_inputs, own_labels)
            gradient, *rest = torch.autograd.grad(loss, leaves)
            result.copy_(gradient)
            of_inputs += rest
        if of_inputs:
            self.inputs_gradient = torch.stack(of_inputs) if self._stacked else of_inputs[0]

    def _per_seed(self, tensor: Tensor) -> list[Tensor]:
        return list(tensor) if self._stacked else [tensor]
