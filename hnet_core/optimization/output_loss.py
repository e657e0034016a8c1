"""Losses that a network can be trained with in place of the stream's: a function of its outputs and of targets."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor


class OutputLoss(Protocol):
    """A loss of the outputs of a network, with its gradient; Problem.loss.

    Every tensor may have a leading dimension of stacked seeds.

    Attributes:
        recordable: `gradient` runs the same operations at each call, so that a step can be recorded as a CUDA graph.
    """

    recordable: bool

    def value(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the loss of a batch, a scalar that can be differentiated in `outputs`.

        Args:
            outputs: of the training heads, (n, n_outputs).
            targets: what the engine was given as labels of the batch.
        """

    def gradient(self, outputs: Tensor, targets: Tensor, out: Tensor) -> None:
        """Write the gradient of `value` with respect to the outputs into `out`, (n, n_outputs)."""


def automatic_gradient(loss: OutputLoss, outputs: Tensor, targets: Tensor, out: Tensor) -> None:
    """Write the gradient of a loss with respect to the outputs into `out` by automatic differentiation."""
    leaf = outputs.detach().requires_grad_()
    with torch.enable_grad():
        value = loss.value(leaf, targets)
    out.copy_(torch.autograd.grad(value, [leaf])[0])
