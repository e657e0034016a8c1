"""y = [z; 1; d] for blocks of the pairs (chunk, previous task), so that memory does not grow with their number."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import torch
from torch import Tensor

from hnet_core.engines.kernels.encoders import encoder
from hnet_core.engines.kernels.flat_theta import FlatTheta, Layout
from hnet_core.engines.kernels.lookahead_weights import LookaheadWeights

BLOCK_COLUMNS = 2048


class LastLayerInputs:
    """Inputs of the last layer for one block: z now, and d = z - z*, their change since the task began.

    Pair (chunk, task) is column (chunk - first_chunk) * n_tasks + task. Every tensor may have a leading dimension of
    stacked seeds.

    Attributes:
        y: (k, n_chunks * n_tasks), after `forward`.
        dz: gradient with respect to the inputs of the last layer that can change, (h - n_constant, the same).
    """

    def __init__(self, layout: Layout, lookahead: LookaheadWeights, n_chunks: int, n_tasks: int) -> None:
        h, start = layout.h, lookahead.n_constant
        self.n_chunks = n_chunks
        self.y = lookahead.pair.new_ones(*lookahead.theta.stack, lookahead.n_pair, n_chunks * n_tasks)
        self._encoder = encoder(layout, n_chunks, n_tasks, self.y[..., :h, :])
        self.dz = self._encoder.dz[..., start:, :]
        grid = self.y.unflatten(-1, (n_chunks, n_tasks))
        self._z, self._d = grid[..., start:h, :, :], grid[..., h + 1 :, :, :]

    def forward(self, theta: FlatTheta, first_chunk: int, embeddings: Tensor, z_before: Tensor) -> None:
        """Fill y for the chunks from `first_chunk` on; z_before is z*, (h - n_constant, n_chunks, n_tasks or 1)."""
        self._encoder.forward(theta, first_chunk, embeddings)
        torch.sub(self._z, z_before, out=self._d)

    def backward(
        self,
        theta: FlatTheta,
        gradient: FlatTheta,
        first_chunk: int,
        embeddings: Tensor,
        embedding_gradient: Tensor | None = None,
    ) -> None:
        """Add the gradient through dz to `gradient`, and to that of the embeddings if given."""
        self._encoder.backward(theta, gradient, first_chunk, embeddings, embedding_gradient)


class InputBlocks:
    """The chunks `first` to `last` (not included), cut into blocks; those of one size share their memory."""

    def __init__(self, layout: Layout, lookahead: LookaheadWeights, first: int, last: int, n_tasks: int) -> None:
        n_blocks = -(-(last - first) * n_tasks // BLOCK_COLUMNS)
        n_blocks = max(1, min(n_blocks, last - first))
        bounds = [first + (last - first) * block // n_blocks for block in range(n_blocks + 1)]
        self._spans = list(itertools.pairwise(bounds))
        sizes = {stop - start for start, stop in self._spans}
        self._inputs = {size: LastLayerInputs(layout, lookahead, size, n_tasks) for size in sizes}

    def __iter__(self) -> Iterator[tuple[int, LastLayerInputs]]:
        """Yield the first chunk and the inputs of each block, to be used before the next one is requested."""
        for start, stop in self._spans:
            yield start, self._inputs[stop - start]
