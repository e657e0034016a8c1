"""The fast engine for masked target weights: flat buffers, the hypernetwork's gradients by hand, fused Adam."""

from __future__ import annotations

import torch
from torch import Tensor

from hnet_core.engines.kernels.adam import FlatAdam
from hnet_core.engines.kernels.flat_theta import FlatTheta, layout_of
from hnet_core.engines.kernels.generation import Generation
from hnet_core.engines.kernels.target_gradient import target_gradient
from hnet_core.engines.masked_plain import MaskedProtection, target_penalty
from hnet_core.engines.output_drift.output_drift import OutputDrift
from hnet_core.problem import Problem
from hnet_core.weights.masked import MaskedWeights


class FastMaskedStep:
    """PlainMaskedStep on flat buffers, equal up to rounding.

    Only the step from logits and target weights to masked weights, as long as the target, uses autograd; the
    hypernetwork, many times as long, does not. R_out needs no look-ahead: a full hypernetwork gives the logits of all
    tasks in one pass over its last layer; a chunked one takes the engine's OutputDrift, which generates none.
    theta, embeddings and target weights of the source become views of buffers.
    """

    def __init__(self, problem: Problem, source: MaskedWeights, trains_previous_embeddings: bool) -> None:
        layout = layout_of(source.logits.hypernet)
        if layout is None:
            raise ValueError(
                "the fast engine must have a chunked or full hypernetwork; use the plain engine for others."
            )
        self._problem, self._source, self._layout = problem, source, layout
        self._trains_previous = trains_previous_embeddings
        self._weights = source.own.flat.detach()
        self._theta, self._gradient = (FlatTheta.zeros(layout, self._weights) for _ in range(2))
        self._theta.fill(source.logits.theta)
        source.logits.theta = [part.detach().requires_grad_() for part in self._theta.parts()]
        self._embeddings = torch.stack(source.logits.embeddings).detach()
        source.logits.embeddings = [embedding.requires_grad_() for embedding in self._embeddings.unbind()]
        self._embedding_gradients = torch.zeros_like(self._embeddings)
        self._weights_gradient = torch.zeros_like(self._weights)
        self._masked, self._masked_gradient = torch.zeros_like(self._weights), torch.zeros_like(self._weights)
        self._target = target_gradient([problem], self._masked, self._masked_gradient)

    def start_task(self, task: int, protection: MaskedProtection) -> None:
        self._task, self._protection = task, protection
        self._embedding_gradients.zero_()
        self._adam = FlatAdam(
            self._problem.training,
            [self._theta.flat, self._embeddings, self._weights],
            [self._gradient.flat, self._embedding_gradients, self._weights_gradient],
        )
        self._target.start_task(task)
        self._weights_before = self._weights.clone()
        protects = task > 0 and protection.beta > 0
        self._at_once = protects and self._layout.n_chunks == 1
        self._drift = self._output_drift() if protects and not self._at_once else None
        first = 0 if self._at_once else task
        self._generated = slice(first, task + 1)
        self._generation = Generation(self._layout, self._weights, task + 1 - first)
        self._logits = self._generation.weights.view(task + 1 - first, -1)
        if self._at_once:
            self._generation.forward(self._theta, self._embeddings[self._generated])
            self._logits_before = self._logits[:-1].clone()

    def step(self, inputs: Tensor, labels: Tensor, sparsity: float) -> None:
        with torch.no_grad():
            self._step(inputs, labels, sparsity)

    def _step(self, inputs: Tensor, labels: Tensor, sparsity: float) -> None:
        embeddings, gradients = self._embeddings[self._generated], self._embedding_gradients[self._generated]
        self._embedding_gradients.zero_()
        self._generation.forward(self._theta, embeddings)
        self._mask_backward(inputs, labels, sparsity)
        if self._at_once:
            self._logits[:-1].sub_(self._logits_before).mul_(2 * self._protection.beta / self._task)
        self._generation.backward(self._theta, self._gradient, embeddings, gradients)
        if self._drift is not None:
            self._drift.lookahead.set_to(self._theta)
            self._drift.add_gradient(self._gradient, self._protection.beta)
        if not self._trains_previous:
            self._embedding_gradients[: self._task].zero_()
        self._adam.lr = self._problem.lr
        self._adam.begin_step()
        self._adam.step()

    def _mask_backward(self, inputs: Tensor, labels: Tensor, sparsity: float) -> None:
        """Replace the current task's logits by the gradient of loss and R_target; set the weights' gradient."""
        logits, weights = self._logits[-1].detach().requires_grad_(), self._weights.detach().requires_grad_()
        with torch.enable_grad():
            mask = self._source.mask(logits, sparsity)
            masked = self._source.mask.apply(weights, mask)
        self._masked.copy_(masked.detach())
        self._target.fill(inputs, labels)
        outputs, gradients = [masked], [self._masked_gradient]
        if self._task > 0 and self._protection.lambda_ > 0:
            with torch.enable_grad():
                outputs.append(target_penalty(self._protection, weights, self._weights_before, self._source.mask, mask))
            gradients.append(torch.ones_like(outputs[1]))
        of_logits, of_weights = torch.autograd.grad(outputs, [logits, weights], gradients)
        self._logits[-1].copy_(of_logits)
        self._weights_gradient.copy_(of_weights)

    def _output_drift(self) -> OutputDrift:
        previous = slice(0, self._task)
        gradient = self._embedding_gradients[previous] if self._trains_previous else None
        return OutputDrift(self._layout, self._theta, self._embeddings[previous], embedding_gradient=gradient)
