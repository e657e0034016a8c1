"""Inputs z of a hypernetwork's last layer for many pairs of a chunk and a task, and the gradient through them."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from hnet_core.engines.kernels.activations import in_place
from hnet_core.engines.kernels.flat_theta import FlatTheta, Layout
from hnet_core.engines.kernels.matmul import add_product, product, product_and


class Encoder(Protocol):
    """z of all pairs of `n_chunks` consecutive chunks and `n_tasks` tasks; pair c * n_tasks + j is a column.

    Every tensor may have a leading dimension of stacked seeds.

    Attributes:
        z: inputs of the last layer, (h, n_chunks * n_tasks), in the caller's buffer.
        dz: the gradient with respect to z, filled by the caller before `backward`; overwritten.
    """

    z: Tensor
    dz: Tensor

    def forward(self, theta: FlatTheta, first_chunk: int, embeddings: Tensor) -> None:
        """Fill z for the chunks from `first_chunk` on and the embeddings (n_tasks, te)."""

    def backward(
        self,
        theta: FlatTheta,
        gradient: FlatTheta,
        first_chunk: int,
        embeddings: Tensor,
        embedding_gradient: Tensor | None = None,
    ) -> None:
        """Add the gradient of all parts of theta before the last layer, and of the embeddings if wanted."""


def encoder(layout: Layout, n_chunks: int, n_tasks: int, z: Tensor) -> Encoder:
    """Return the encoder of a layout, writing into z (h, n_chunks * n_tasks)."""
    kind = HiddenEncoder if layout.hidden else LinearEncoder
    return kind(layout, n_chunks, n_tasks, z)


class HiddenEncoder:
    """The hidden layers, with gradients by hand.

    The first layer is split, W1 [e; c] + b = W1e e + (W1c c + b): n_tasks + n_chunks products and a broadcast sum
    instead of n_tasks * n_chunks products; likewise backward.
    """

    def __init__(self, layout: Layout, n_chunks: int, n_tasks: int, z: Tensor) -> None:
        activation = in_place(layout.activation)
        if activation is None:
            raise ValueError("the activation must be one of hnet_core.activations; use the plain engine for others.")
        self._apply_, self._backward_ = activation.apply_, activation.backward_
        columns = n_chunks * n_tasks
        widths = layout.hidden
        self.z = z
        self._n_chunks = n_chunks
        stack = z.shape[:-2]
        # a row of ones for the bias
        self._inputs = [z.new_ones(*stack, width + 1, columns) for width in widths[:-1]]
        self._activations = [*(inputs[..., :-1, :] for inputs in self._inputs), z]
        self._gradients = [z.new_empty(*stack, width, columns) for width in widths]
        self.dz = self._gradients[-1]
        self._chunk_part, self._chunk_gradient = (z.new_empty(*stack, widths[0], n_chunks) for _ in range(2))
        self._task_part, self._task_gradient = (z.new_empty(*stack, widths[0], n_tasks) for _ in range(2))
        self._ones = z.new_ones(*stack, n_chunks, 1)
        grid = (*stack, widths[0], n_chunks, n_tasks)
        self._first = self._activations[0].view(grid)
        self._first_gradient = self._gradients[0].view(grid)
        self._sum_parts = self._chunk_part.unsqueeze(-1), self._task_part.unsqueeze(-2)

    def forward(self, theta: FlatTheta, first_chunk: int, embeddings: Tensor) -> None:
        chunks = theta.chunks[..., first_chunk : first_chunk + self._n_chunks, :]
        product(theta.of_tasks, embeddings.mT, self._task_part)
        product_and(theta.bias, theta.of_chunks, chunks.mT, self._chunk_part)
        torch.add(*self._sum_parts, out=self._first)
        self._apply_(self._activations[0])
        for layer, inputs, outputs in zip(theta.hidden[1:], self._inputs, self._activations[1:], strict=True):
            product(layer, inputs, outputs)
            self._apply_(outputs)

    def backward(
        self,
        theta: FlatTheta,
        gradient: FlatTheta,
        first_chunk: int,
        embeddings: Tensor,
        embedding_gradient: Tensor | None = None,
    ) -> None:
        for depth in range(len(self._inputs), 0, -1):
            after, before = self._gradients[depth], self._gradients[depth - 1]
            self._backward_(after, self._activations[depth])
            add_product(gradient.hidden[depth], after, self._inputs[depth - 1].mT)
            product(theta.back[depth - 1], after, before)
        self._backward_(self._gradients[0], self._activations[0])
        torch.sum(self._first_gradient, dim=-1, out=self._chunk_gradient)
        torch.sum(self._first_gradient, dim=-2, out=self._task_gradient)
        chunks = slice(first_chunk, first_chunk + self._n_chunks)
        add_product(gradient.of_tasks, self._task_gradient, embeddings)
        add_product(gradient.of_chunks, self._chunk_gradient, theta.chunks[..., chunks, :])
        add_product(gradient.bias, self._chunk_gradient, self._ones)
        add_product(gradient.chunks[..., chunks, :], self._chunk_gradient.mT, theta.of_chunks)
        if embedding_gradient is not None:
            add_product(embedding_gradient, self._task_gradient.mT, theta.of_tasks)


class LinearEncoder:
    """No hidden layer: z = [e; c]."""

    def __init__(self, layout: Layout, n_chunks: int, n_tasks: int, z: Tensor) -> None:
        self.z = z
        self.dz = torch.empty_like(z)
        self._n_chunks = n_chunks
        te, grid = layout.task_embedding, (n_chunks, n_tasks)
        self._z_of_tasks, self._z_of_chunks = (part.unflatten(-1, grid) for part in _split(z, te))
        self._dz_of_tasks, self._dz_of_chunks = (part.unflatten(-1, grid) for part in _split(self.dz, te))

    def forward(self, theta: FlatTheta, first_chunk: int, embeddings: Tensor) -> None:
        chunks = theta.chunks[..., first_chunk : first_chunk + self._n_chunks, :]
        self._z_of_tasks.copy_(embeddings.mT.unsqueeze(-2))
        self._z_of_chunks.copy_(chunks.mT.unsqueeze(-1))

    def backward(
        self,
        theta: FlatTheta,
        gradient: FlatTheta,
        first_chunk: int,
        embeddings: Tensor,
        embedding_gradient: Tensor | None = None,
    ) -> None:
        chunks = gradient.chunks[..., first_chunk : first_chunk + self._n_chunks, :]
        chunks.add_(self._dz_of_chunks.sum(dim=-1).mT)
        if embedding_gradient is not None:
            embedding_gradient.add_(self._dz_of_tasks.sum(dim=-2).mT)


def _split(rows: Tensor, n_first: int) -> tuple[Tensor, Tensor]:
    return rows[..., :n_first, :], rows[..., n_first:, :]
