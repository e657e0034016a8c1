"""The plain engine: the training step as the paper writes it, by automatic differentiation."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from hnet_core.problem import Problem
from hnet_core.regularizers.lookahead import adam_lookahead
from hnet_core.regularizers.options import Protection
from hnet_core.regularizers.output import OutputRegularizer
from hnet_core.weights.sources import GeneratedWeights


class PlainStep:
    """Gradient of L_task(theta, e_t) + beta * R(theta + dtheta), then a step; read this before the fast engine."""

    def __init__(self, problem: Problem, source: GeneratedWeights) -> None:
        self._problem, self._source = problem, source

    def start_task(self, task: int, protection: Protection | None = None) -> None:
        source = self._source
        self._task, self._protection = task, protection
        self._clear_embedding_gradients()  # only that of the task moves
        self._theta_optimizer = self._problem.optimizer(source.theta)
        self._embedding_optimizer = self._problem.optimizer(source.embeddings)
        if protection is not None:
            self._regularizer = OutputRegularizer(
                source.hypernet,
                source.theta,
                torch.stack(source.embeddings[:task]),
                protection.kept,
                importance=protection.importance,
                store_targets=protection.store_targets,
            )

    def step(self, inputs: Tensor, labels: Tensor, tasks: Sequence[int] | None = None) -> None:
        theta, embedding = self._source.theta, self._source.embeddings[self._task]
        if self._protection is not None and self._protection.trains_previous:
            self._clear_embedding_gradients()
        weights = self._source.weights(self._task)
        of_inputs = [inputs.requires_grad_()] if self._problem.inputs_gradient else []
        loss = self._problem.task_loss(self._task, weights, inputs, labels)
        own = [*theta, embedding]
        differentiable = self._protection is not None and self._protection.differentiates_step
        computed = torch.autograd.grad(loss, [*own, *of_inputs], create_graph=differentiable)
        self.inputs_gradient = computed[-1]
        for part, gradient in zip(own, computed, strict=False):
            part.grad = gradient.detach().clone() if differentiable else gradient
        if self._protection is not None:
            self._protect(self._protection, computed[: len(theta)], tasks)
        for optimizer in (self._theta_optimizer, self._embedding_optimizer):
            optimizer.step()

    def _clear_embedding_gradients(self) -> None:
        for embedding in self._source.embeddings:
            embedding.grad = None

    def _protect(self, protection: Protection, gradients: Sequence[Tensor], tasks: Sequence[int] | None) -> None:
        """Add beta times the gradient of the regulariser to `.grad` of theta and of what else it moves.

        With v the gradient of R at theta + dtheta it is v where dtheta is a constant, else v plus the gradient of
        <v, dtheta> with respect to theta and the embedding of the task.
        """
        theta, previous = self._source.theta, self._source.embeddings[: self._task]
        changes = self._changes(protection, gradients)
        lookahead = [part.detach() + change.detach() for part, change in zip(theta, changes, strict=True)]
        moved = previous if protection.trains_previous else []
        _, penalties = self._regularizer.gradient(lookahead, tasks, moved)
        for part, penalty in zip([*theta, *moved], penalties, strict=True):
            _add(part, penalty, protection.beta)
        if protection.differentiates_step:
            own = [*theta, self._source.embeddings[self._task]]
            through_step = torch.autograd.grad(changes, own, penalties[: len(theta)])
            for part, penalty in zip(own, through_step, strict=True):
                _add(part, penalty, protection.beta)

    def _changes(self, protection: Protection, gradients: Sequence[Tensor]) -> list[Tensor]:
        """Return dtheta of eq. 2, differentiable in gradients that are."""
        theta = self._source.theta
        if protection.lookahead == "adam":
            return adam_lookahead(self._theta_optimizer, theta, gradients, protection.epsilon)
        if protection.lookahead == "sgd":
            return [-self._problem.lr * gradient for gradient in gradients]
        return [torch.zeros_like(part) for part in theta]


def _add(part: Tensor, gradient: Tensor, factor: float) -> None:
    """Add a multiple of a gradient to `.grad`."""
    if part.grad is None:
        part.grad = torch.zeros_like(part)
    part.grad.add_(gradient, alpha=factor)
