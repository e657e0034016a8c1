"""Layout of the weights of an MLP hypernetwork in one flat buffer, its last layer transposed."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from hnet_core.hypernets import Hypernet
from hnet_core.hypernets.chunked import ChunkedHypernet
from hnet_core.hypernets.full import FullHypernet

ALIGNMENT = 16  # numbers; every part of a buffer starts on a cache line
VECTOR = 8  # dot products of long rows run up to 1.7 times faster against a multiple of 8 rows (measured, AVX2)


@dataclass(frozen=True)
class Layout:
    """An MLP with a linear last layer that is run once per chunk; a full hypernetwork is one chunk without embedding.

    Attributes:
        task_embedding, chunk_embedding: lengths; their concatenation is the input.
        hidden: widths of the hidden layers, may be empty.
        n_chunks: runs per task.
        chunk_size: outputs of one run, N.
        n_outputs: generated weights in use, D <= n_chunks * N; the last chunk is cut.
        activation: of the hidden layers.
    """

    task_embedding: int
    chunk_embedding: int
    hidden: tuple[int, ...]
    n_chunks: int
    chunk_size: int
    n_outputs: int
    activation: Callable[[Tensor], Tensor]

    @property
    def widths(self) -> tuple[int, ...]:
        """Widths from the input to the last hidden layer."""
        return (self.task_embedding + self.chunk_embedding, *self.hidden)

    @property
    def h(self) -> int:
        """Inputs of the last layer, its bias not counted."""
        return self.widths[-1]

    @property
    def last_chunk(self) -> int:
        """Number of outputs of the last chunk that are used."""
        return self.n_outputs - (self.n_chunks - 1) * self.chunk_size

    @property
    def last_layer_start(self) -> int:
        """Position of the last layer in the buffer; all other parts come before it."""
        sizes = [self.n_chunks * self.chunk_embedding, *(n_out * (n_in + 1) for n_in, n_out in self._pairs())]
        return sum(map(aligned, sizes))

    @property
    def size(self) -> int:
        """Length of the buffer."""
        return self.last_layer_start + (self.h + 1) * self.chunk_size

    def _pairs(self) -> list[tuple[int, int]]:
        return list(itertools.pairwise(self.widths))


class FlatTheta:
    """theta, or its gradient, as views of one flat buffer; of stacked seeds with a leading dimension (S, ...).

    Attributes:
        flat: the buffer, (layout.size,) or (S, layout.size); the gaps between its parts stay zero.
        stack: () or (S,), the dimensions before those given here.
        chunks: chunk embeddings, (n_chunks, ce).
        hidden: layers (n_out, n_in + 1), the bias as last column.
        of_tasks, of_chunks, bias: columns of the first one, W1e (n_out, te), W1c (n_out, ce), b (n_out, 1).
        back: for the layers after it, W^T without the bias, (n_in, n_out).
        last: the last layer transposed, (h + 1, N), the bias as last row. Products with it are 2.6 times cheaper than
            with (N, h) where N is large (measured), and a gradient row is contiguous.
    """

    def __init__(self, layout: Layout, flat: Tensor) -> None:
        self.layout = layout
        self.flat = flat
        self.stack = flat.shape[:-1]
        start = 0

        def next_part(*shape: int) -> Tensor:
            nonlocal start
            size = math.prod(shape)
            part = flat[..., start : start + size].view(*self.stack, *shape)
            start += aligned(size)
            return part

        self.chunks = next_part(layout.n_chunks, layout.chunk_embedding)
        self.hidden = [next_part(n_out, n_in + 1) for n_in, n_out in itertools.pairwise(layout.widths)]
        self.last = next_part(layout.h + 1, layout.chunk_size)
        if self.hidden:
            first, te = self.hidden[0], layout.task_embedding
            self.of_tasks, self.of_chunks, self.bias = first[..., :te], first[..., te:-1], first[..., -1:]
            self.back = [layer[..., :-1].mT for layer in self.hidden[1:]]

    @classmethod
    def zeros(cls, layout: Layout, like: Tensor, stack: tuple[int, ...] = ()) -> FlatTheta:
        return cls(layout, like.new_zeros(*stack, layout.size))

    def of_seed(self, seed: int) -> FlatTheta:
        """Return a view of one seed, without the leading dimension; there must be one."""
        return FlatTheta(self.layout, self.flat[seed])

    def parts(self) -> list[Tensor]:
        """Return views in the order and the shapes of `Hypernet.shapes`."""
        layers = [part for layer in self.hidden for part in (layer[..., :-1], layer[..., -1])]
        chunks = [self.chunks] if self.layout.chunk_embedding else []
        return [*chunks, *layers, self.last[..., :-1, :].mT, self.last[..., -1, :]]

    def fill(self, theta: list[Tensor]) -> None:
        """Copy the values of a list of tensors in that order."""
        with torch.no_grad():
            for part, value in zip(self.parts(), theta, strict=True):
                part.copy_(value)


def aligned(size: int, unit: int = ALIGNMENT) -> int:
    """Round up to a multiple of `unit`."""
    return -(-size // unit) * unit


def layout_of(hypernet: Hypernet) -> Layout | None:
    """Return the layout of a hypernetwork the fast engine supports, None for any other."""
    known: object = hypernet
    if type(known) is ChunkedHypernet:  # exactly: a subclass may generate otherwise
        chunk_embedding, n_chunks, chunk_size = known.shapes[0][1], known.n_chunks, known.chunk_size
    elif type(known) is FullHypernet:
        chunk_embedding, n_chunks, chunk_size = 0, 1, known.n_outputs
    else:
        return None
    return Layout(
        task_embedding=known.embedding_size,
        chunk_embedding=chunk_embedding,
        hidden=known.widths[1:],
        n_chunks=n_chunks,
        chunk_size=chunk_size,
        n_outputs=known.n_outputs,
        activation=known.activation,
    )
