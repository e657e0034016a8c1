"""Both engines for a target network with weights of its own, without a hypernetwork."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from hnet_core.engines.cuda_graph import RecordedSteps
from hnet_core.engines.kernels.adam import FlatAdam, MomentsOfSeed
from hnet_core.engines.kernels.stacked_batches import Batches
from hnet_core.engines.kernels.target_gradient import target_gradient
from hnet_core.engines.step_protocols import picked
from hnet_core.optimization.optimizers import why_no_flat_adam
from hnet_core.problem import Problem
from hnet_core.regularizers.options import Protection
from hnet_core.runtime import within_task
from hnet_core.seed_stack import member_step
from hnet_core.weights.sources import OwnWeights


class OwnWeightsStep(Protocol):
    """Training of the weights of one network on one task at a time."""

    @property
    def inputs_gradient(self) -> Tensor:
        """Gradient with respect to the inputs of the last step, (n, n_inputs); with Problem.inputs_gradient only."""

    def start_task(self, task: int) -> None:
        """Prepare for a task: take its optimiser."""

    def step(self, inputs: Tensor, labels: Tensor) -> None:
        """Make one gradient step on one batch."""


class WeightPenalty(Protocol):
    """A penalty on the weights of one network, called in every step on tensors that stay in place.

    A step may be recorded and run again (hnet_core.engines.cuda_graph): the functions must do the same operations on
    the same tensors in every step of a task.
    """

    def add_gradient(self, weights: Tensor, gradient: Tensor) -> None:
        """Add the gradient of the penalty at `weights` (n_weights,) to that of the loss, (n_weights,), in place."""

    def after_step(self, weights: Tensor, gradient: Tensor) -> None:
        """Read the weights after the step and the gradient it was made with, (n_weights,) each."""


def own_weights_step(problem: Problem, source: OwnWeights, penalty: WeightPenalty | None = None) -> OwnWeightsStep:
    """Return the engine that `training.engine` names; auto is the fast one wherever it has the optimiser.

    Args:
        penalty: added to the loss of every task; None for none.

    Raises:
        UnsupportedTrial: engine fast with an optimiser it does not have.
    """
    if picked(problem.training.engine, why_no_flat_adam(problem.training, keeps=True)) == "plain":
        return PlainOwnWeights(problem, source, penalty)
    return member_step(problem.member, problem, PenalizedWeights(source, penalty), FastOwnWeights)


@dataclass(frozen=True)
class PenalizedWeights:
    """The weights of one seed, and the penalty on them."""

    source: OwnWeights
    penalty: WeightPenalty | None = None


class PlainOwnWeights:
    """Automatic differentiation and an optimiser of torch."""

    def __init__(self, problem: Problem, source: OwnWeights, penalty: WeightPenalty | None = None) -> None:
        self._problem, self._source, self._penalty = problem, source, penalty

    def start_task(self, task: int) -> None:
        self._task = task
        self._optimizer = self._problem.optimizer(self._source.parameters(task))

    def step(self, inputs: Tensor, labels: Tensor) -> None:
        flat = self._source.flat
        of_inputs = [inputs.requires_grad_()] if self._problem.inputs_gradient else []
        loss = self._problem.task_loss(self._task, flat, inputs, labels)
        flat.grad, *found = torch.autograd.grad(loss, [flat, *of_inputs])
        self.inputs_gradient = found[0] if found else torch.empty(0)
        if self._penalty is not None:
            self._penalty.add_gradient(flat.detach(), flat.grad)
        self._optimizer.step()
        if self._penalty is not None:
            self._penalty.after_step(flat.detach(), flat.grad)


class FastOwnWeights:
    """Flat buffers, with a leading dimension for several seeds: gradient by hand for an MLP, fused Adam."""

    def __init__(self, problems: Sequence[Problem], members: Sequence[PenalizedWeights]) -> None:
        self._problems, self._problem, sources = problems, problems[0], [member.source for member in members]
        self._weights = sources[0].flat.detach()
        if len(sources) > 1:
            self._weights = torch.stack([source.flat.detach() for source in sources])
            for source, weights in zip(sources, self._weights, strict=True):
                source.flat = weights.detach().requires_grad_()
        self._gradient = torch.zeros_like(self._weights)
        self._target = target_gradient(problems, self._weights, self._gradient)
        self._kept_adam: FlatAdam | None = None
        self._batches = Batches(self._weights.shape[:-1], self._problem.device)
        rows = zip(members, self._rows(self._weights), self._rows(self._gradient), strict=True)
        self._penalized = [(one.penalty, own, gradient) for one, own, gradient in rows if one.penalty is not None]

    @property
    def inputs_gradient(self) -> Tensor:
        return self._target.inputs_gradient

    def start_task(self, task: int, protection: Protection | None = None) -> None:
        if protection is not None:
            raise ValueError("protection must be None for own weights, which are not generated.")
        self._target.start_task(task)
        self._adam = self._adam_of_task()
        self._recorded_steps = RecordedSteps(self._step, self._problem.device, lambda: self._target.recordable)

    def _adam_of_task(self) -> FlatAdam:
        training, parameters, gradients = self._problem.training, [self._weights], [self._gradient]
        if training.reset_optimizer:
            return FlatAdam(training, parameters, gradients)
        if self._kept_adam is None:
            self._kept_adam = FlatAdam(training, parameters, gradients, is_of_task=False)
            for seed, problem in enumerate(self._problems):
                problem.optimizers.keep(MomentsOfSeed(self._kept_adam, seed))
        within_task.note(self._kept_adam.state, self._kept_adam.load_state)
        return self._kept_adam

    def set_batch(self, seed: int, inputs: Tensor, labels: Tensor, tasks: Sequence[int] | None = None) -> None:
        self._batches.put(seed, inputs, labels)

    def step(self) -> None:
        with torch.no_grad():
            self._adam.lr = self._problem.lr
            self._recorded_steps(self._batches.inputs.shape, self._adam.lr)

    def _step(self) -> None:
        self._target.fill(self._batches.inputs, self._batches.labels)
        for penalty, weights, gradient in self._penalized:
            penalty.add_gradient(weights, gradient)
        self._adam.begin_step()
        self._adam.step()
        for penalty, weights, gradient in self._penalized:
            penalty.after_step(weights, gradient)

    def _rows(self, tensor: Tensor) -> list[Tensor]:
        """Return the part of every seed, (n_weights,) each."""
        return list(tensor) if tensor.dim() > 1 else [tensor]
