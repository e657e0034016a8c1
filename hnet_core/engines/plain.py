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
        for embedding in source.embeddings:
            embedding.grad = None  # only that of the task moves
        self._theta_optimizer = self._problem.optimizer(source.theta)
        self._embedding_optimizer = self._problem.optimizer(source.embeddings)
        if protection is not None:
            self._regularizer = OutputRegularizer(
                source.hypernet,
                source.theta,
                torch.stack(source.embeddings[:task]),
                protection.kept,
                store_targets=protection.store_targets,
            )

    def step(self, inputs: Tensor, labels: Tensor, tasks: Sequence[int] | None = None) -> None:
        theta, embedding = self._source.theta, self._source.embeddings[self._task]
        weights = self._source.weights(self._task)
        of_inputs = [inputs.requires_grad_()] if self._problem.inputs_gradient else []
        loss = self._problem.task_loss(self._task, weights, inputs, labels)
        found = torch.autograd.grad(loss, [*of_inputs, *theta, embedding])
        *gradients, embedding_gradient = found[len(of_inputs) :]
        self.inputs_gradient = found[0]
        if self._protection is not None:
            changes = self._changes(self._protection, gradients)
            lookahead = [part.detach() + change for part, change in zip(theta, changes, strict=True)]
            _, penalties = self._regularizer.gradient(lookahead, tasks)
            for gradient, penalty in zip(gradients, penalties, strict=True):
                gradient.add_(penalty, alpha=self._protection.beta)
        for part, gradient in zip(theta, gradients, strict=True):
            part.grad = gradient
        embedding.grad = embedding_gradient
        for optimizer in (self._theta_optimizer, self._embedding_optimizer):
            optimizer.step()

    def _changes(self, protection: Protection, gradients: list[Tensor]) -> list[Tensor]:
        """Return dtheta of eq. 2, a constant."""
        theta = self._source.theta
        if protection.lookahead == "adam":
            return adam_lookahead(self._theta_optimizer, theta, gradients, protection.epsilon)
        if protection.lookahead == "sgd":
            return [-self._problem.lr * gradient for gradient in gradients]
        return [torch.zeros_like(part) for part in theta]
