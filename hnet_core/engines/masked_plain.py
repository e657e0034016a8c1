"""A training step of masked target weights: its protocol, and the plain engine, which follows the paper."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from hnet_core.problem import Problem
from hnet_core.regularizers.output import NormName, weight_drift
from hnet_core.weights.masked import MaskedWeights
from hnet_core.weights.semi_binary_masks import SemiBinaryMask


@dataclass(frozen=True)
class MaskedProtection:
    """Penalties added to the loss of every task but the first: beta * R_out + lambda * R_target.

    R_out is the squared drift of the mask logits of previous tasks, their mean; R_target the norm of the change of the
    target weights since the task began.

    Attributes:
        norm: of the change of each tensor.
        masked: multiply the change by the mask of the current task, through which gradients flow too.
    """

    beta: float
    lambda_: float
    norm: NormName
    masked: bool


class MaskedStep(Protocol):
    """Training of theta, embeddings and target weights of a weight source with one optimiser."""

    def start_task(self, task: int, protection: MaskedProtection) -> None:
        """Prepare for a task: take its optimiser, and keep the present masks and weights for the penalties."""

    def step(self, inputs: Tensor, labels: Tensor, sparsity: float) -> None:
        """Make one gradient step on one batch with masks of this sparsity."""


class PlainMaskedStep:
    """Automatic differentiation and an optimiser of torch; read this before the fast engine.

    Args:
        trains_previous_embeddings: True if R_out may change the embeddings of previous tasks.
    """

    def __init__(self, problem: Problem, source: MaskedWeights, trains_previous_embeddings: bool) -> None:
        self._problem, self._source = problem, source
        self._trains_previous = trains_previous_embeddings

    def start_task(self, task: int, protection: MaskedProtection) -> None:
        logits, own = self._source.logits, self._source.own
        self._task, self._protection = task, protection
        self._optimizer = self._problem.optimizer([*logits.theta, *logits.embeddings, own.flat])
        with torch.no_grad():
            self._weights_before = own.flat.clone()
            self._logits_before = [logits.weights(previous) for previous in range(task)]

    def step(self, inputs: Tensor, labels: Tensor, sparsity: float) -> None:
        source, task = self._source, self._task
        mask = source.mask(source.logits.weights(task), sparsity)
        loss = self._problem.task_loss(task, source.mask.apply(source.own.flat, mask), inputs, labels)
        if task > 0:
            loss = loss + self._penalty(mask)
        self._optimizer.zero_grad()
        loss.backward()
        if not self._trains_previous:
            for embedding in source.logits.embeddings[:task]:
                embedding.grad = None
        self._optimizer.step()

    def _penalty(self, mask: Tensor) -> Tensor:
        protection, source = self._protection, self._source
        penalty = target_penalty(protection, source.own.flat, self._weights_before, source.mask, mask)
        if protection.beta == 0:
            return penalty
        drifts = [(source.logits.weights(j) - before).square().sum() for j, before in enumerate(self._logits_before)]
        return penalty + protection.beta * torch.stack(drifts).mean()


def target_penalty(
    protection: MaskedProtection, weights: Tensor, weights_before: Tensor, masks: SemiBinaryMask, mask: Tensor
) -> Tensor:
    """Return lambda * R_target for the present weights (n_weights,) and mask (n_masked,), a scalar."""
    factor = mask if protection.masked else None
    now, before = masks.masked_part(weights), masks.masked_part(weights_before)
    return protection.lambda_ * weight_drift(now, before, masks.masked.shapes, protection.norm, factor)
