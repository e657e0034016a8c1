"""The look-ahead theta + dtheta, with its last layer held as the difference to the one before the task."""

from __future__ import annotations

import torch

from hnet_core.engines.layout import VECTOR, FlatTheta, Layout, aligned


class Candidate:
    """Where the regulariser is evaluated, laid out so that no difference is taken twice.

    A generated weight's drift is D [z; 1] + W* d with D = W - W* (bias included) and d = z - z*: the last layers enter
    as one matrix A = [D; W*], transposed and contiguous.

    Attributes:
        theta: theta + dtheta, except that `theta.last` holds D, (h + 1, N); stacked as theta_before is.
        pair: A, (k, N) with k = h + 1 + (h - n_constant).
        padded_pair: A and some rows after it, a multiple of VECTOR in all, for products whose surplus is left out.
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
        # Behind D lie the rows of W* that A has, then its bias, then the rows of inputs that cannot change.
        before = last_layers[..., n_rows : 2 * n_rows, :].split([n_rows - self.n_constant, self.n_constant], dim=-2)
        spans = slice(self.n_constant, None), slice(0, self.n_constant)
        self._differences = [
            (rows, span, self.theta.last[..., span, :])
            for rows, span in zip(before, spans, strict=True)
            if rows.shape[-2]
        ]
        for rows, span, _ in self._differences:
            rows.copy_(theta_before.last[..., span, :])
        self._early = self.theta.flat[..., :start]

    def take(self, theta: FlatTheta) -> None:
        """Set it to theta, without look-ahead; the optimiser then adds dtheta to `theta.flat`."""
        self._early.copy_(theta.flat[..., : self._early.shape[-1]])
        for rows, span, difference in self._differences:
            torch.sub(theta.last[..., span, :], rows, out=difference)
