"""The target weights of the current task, and the gradient from them back to theta and the task embedding."""

from __future__ import annotations

from torch import Tensor

from hnet_core.engines.kernels.encoders import encoder
from hnet_core.engines.kernels.flat_theta import VECTOR, FlatTheta, Layout, aligned
from hnet_core.engines.kernels.matmul import product


class Generation:
    """h(e_t, theta), von Oswald et al. (2020), eq. 1, and its gradient by hand, in one buffer allocated once.

    Args:
        n_tasks: embeddings per call; more than one only for a single chunk, a full hypernetwork.
        stack: () for one seed, (S,) for stacked ones: the leading dimension of every tensor.

    Attributes:
        weights: generated weights after `forward`, (n_outputs,), or (n_tasks, n_outputs) for several tasks; to be
            overwritten with the gradient of a loss with respect to them before `backward`. As long as the target,
            there is one such vector instead of two: workers on one processor share its last cache.
    """

    def __init__(self, layout: Layout, like: Tensor, n_tasks: int = 1, stack: tuple[int, ...] = ()) -> None:
        if n_tasks > 1 and layout.n_chunks > 1:
            raise ValueError(
                f"a hypernetwork must have one chunk to generate several tasks at once, got {layout.n_chunks} chunks."
            )
        columns = layout.n_chunks * n_tasks
        self._z = like.new_ones(*stack, layout.h + 1, columns)  # the last row stays one: the bias
        self._encoder = encoder(layout, layout.n_chunks, n_tasks, self._z[..., :-1, :])
        padded = aligned(columns, VECTOR) if columns >= VECTOR else columns
        outputs = like.new_zeros(*stack, padded, layout.chunk_size)  # rows after the last chunk stay zero
        self._outputs, self._padded_outputs = outputs[..., :columns, :], outputs.mT
        self._padded_dz = like.new_zeros(*stack, layout.h, padded)
        self._dz = self._padded_dz[..., :columns]
        n_numbers = n_tasks * layout.n_outputs
        numbers = outputs.flatten(-2)
        self._surplus = numbers[..., n_numbers : columns * layout.chunk_size]  # surplus of the last chunk, unused
        shape = (layout.n_outputs,) if n_tasks == 1 else (n_tasks, layout.n_outputs)
        self.weights = numbers[..., :n_numbers].view(*stack, *shape)

    def forward(self, theta: FlatTheta, embeddings: Tensor) -> None:
        """Generate the weights for the embeddings, (n_tasks, te)."""
        self._encoder.forward(theta, 0, embeddings)
        product(self._z.mT, theta.last, self._outputs)
        self._surplus.zero_()

    def backward(self, theta: FlatTheta, gradient: FlatTheta, embeddings: Tensor, embedding_gradient: Tensor) -> None:
        """Overwrite `gradient` and `embedding_gradient` (n_tasks, te) with those of the loss."""
        gradient.flat[..., : gradient.layout.last_layer_start].zero_()
        embedding_gradient.zero_()
        product(self._z, self._outputs, gradient.last)
        product(theta.last[..., :-1, :], self._padded_outputs, self._padded_dz)
        self._encoder.dz.copy_(self._dz)
        self._encoder.backward(theta, gradient, 0, embeddings, embedding_gradient)
