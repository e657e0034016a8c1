"""The look-ahead weights theta + dtheta, their last layer stored as its change since the start of the task."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from hnet_core.engines.kernels.flat_theta import VECTOR, FlatTheta, Layout, aligned

Subtrahends = Sequence[tuple[slice, Tensor | None]]  # for stretches of a flat buffer: views (..., n), None for nothing


class LookaheadWeights:
    """The weights at which the regulariser is evaluated, laid out so that no difference is taken twice.

    A generated weight's drift is D [z; 1] + W* d with D = W - W* (bias included) and d = z - z*: the last layers enter
    as one matrix A = [D; W*], transposed and contiguous.

    Attributes:
        theta: theta + dtheta, except that `theta.last` holds D, (h + 1, N); stacked as theta_before is.
        pair: A, (k, N) with k = h + 1 + (h - n_constant).
        padded_pair: A and some rows after it, a multiple of VECTOR in all, for products whose surplus is left out.
        before: the subtrahends of theta.flat: W* for the last layer.
        n_constant: leading inputs of the last layer that cannot change: those of the task embedding where there is no
            hidden layer, else none; A leaves their rows of W* out.
    """

    def __init__(self, layout: Layout, theta_before: FlatTheta) -> None:
        n_rows = layout.h + 1
        n_padded = aligned(2 * n_rows, VECTOR)
        stack, start = theta_before.stack, layout.last_layer_start
        buffer = theta_before.flat.new_zeros(*stack, start + n_padded * layout.chunk_size)
        self.theta = FlatTheta(layout, buffer[..., : layout.size])
        self.n_constant = 0 if layout.hidden else layout.task_embedding
        self.n_pair = 2 * layout.h + 1 - self.n_constant
        last_layers = buffer[..., start:].view(*stack, n_padded, layout.chunk_size)
        self.pair = last_layers[..., : self.n_pair, :]
        self.padded_pair = last_layers[..., : aligned(self.n_pair, VECTOR), :]
        # After D come the rows of W* in A, then its bias, then the rows of inputs that cannot change.
        rows = last_layers[..., n_rows : 2 * n_rows, :].split([n_rows - self.n_constant, self.n_constant], dim=-2)
        spans = slice(self.n_constant, n_rows), slice(0, self.n_constant)
        self.before: Subtrahends = [(slice(0, start), None)]
        for own, span in zip(rows, spans, strict=True):
            if own.shape[-2]:
                own.copy_(theta_before.last[..., span, :])
                of_flat = slice(start + span.start * layout.chunk_size, start + span.stop * layout.chunk_size)
                self.before = [*self.before, (of_flat, own.flatten(-2))]

    def set_to(self, theta: FlatTheta) -> None:
        """Set the weights to theta, without look-ahead."""
        for span, before in self.before:
            difference(theta.flat[..., span], before, out=self.theta.flat[..., span])


def difference(a: Tensor, b: Tensor | None, out: Tensor) -> None:
    """Compute out <- a - b, or a without b."""
    if b is None:
        out.copy_(a)
    else:
        torch.sub(a, b, out=out)
