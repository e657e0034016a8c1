"""The target weights of the current task, and the gradient from them back to theta and the task embedding."""

from __future__ import annotations

import torch
from torch import Tensor

from hnet_core.engines.encoders import encoder
from hnet_core.engines.layout import VECTOR, FlatTheta, Layout, aligned


class Generation:
    """h(e_t, theta), von Oswald et al. (2020), eq. 1, and its gradient by hand, in buffers made once.

    Attributes:
        weights: generated weights, (n_outputs,), after `forward`.
        weights_gradient: to be filled with the gradient of a loss with respect to them before `backward`; starts zero.
    """

    def __init__(self, layout: Layout, like: Tensor) -> None:
        self._z = like.new_ones(layout.h + 1, layout.n_chunks)  # the last row stays one: the bias
        self._encoder = encoder(layout, layout.n_chunks, 1, self._z[:-1])
        padded = aligned(layout.n_chunks, VECTOR) if layout.n_chunks >= VECTOR else layout.n_chunks
        outputs_gradient = like.new_zeros(padded, layout.chunk_size)  # rows after the last chunk stay zero
        self._outputs = like.new_zeros(layout.n_chunks, layout.chunk_size)
        self._outputs_gradient = outputs_gradient[: layout.n_chunks]
        self._padded_gradient, self._padded_dz = outputs_gradient.T, like.new_zeros(layout.h, padded)
        self._dz = self._padded_dz[:, : layout.n_chunks]
        self.weights = self._outputs.view(-1)[: layout.n_outputs]
        self.weights_gradient = self._outputs_gradient.view(-1)[: layout.n_outputs]

    def forward(self, theta: FlatTheta, embedding: Tensor) -> None:
        """Generate the weights for one embedding, (1, te)."""
        self._encoder.forward(theta, 0, embedding)
        torch.mm(self._z.T, theta.last, out=self._outputs)

    def backward(self, theta: FlatTheta, gradient: FlatTheta, embedding: Tensor, embedding_gradient: Tensor) -> None:
        """Overwrite `gradient` and `embedding_gradient` (1, te) with those of the loss."""
        gradient.flat[: gradient.layout.last_layer_start].zero_()
        torch.mm(self._z, self._outputs_gradient, out=gradient.last)
        torch.mm(theta.last[:-1], self._padded_gradient, out=self._padded_dz)
        self._encoder.dz.copy_(self._dz)
        self._encoder.backward(theta, gradient, 0, embedding, embedding_gradient)
