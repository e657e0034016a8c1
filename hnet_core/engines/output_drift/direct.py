"""The drift of generated weights by generating it: for chunks that do not count whole, or where that is cheaper."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import EllipsisType

import torch
from torch import Tensor

from hnet_core.engines.kernels.flat_theta import FlatTheta, Layout
from hnet_core.engines.kernels.lookahead_weights import Candidate
from hnet_core.engines.kernels.matmul import add_product
from hnet_core.engines.output_drift.last_layer_inputs import Blocks, Rows
from hnet_core.engines.output_drift.previous_tasks import PreviousTasks

TILE = 2**18  # drifts at a time: they stay in the cache between the products


@dataclass(frozen=True)
class Piece:
    """Outputs that count together: those of some consecutive chunks in some columns of the last layer.

    Attributes:
        chunks: from, to (not included).
        columns: likewise.
        task: the only previous task they count for, None for all.
    """

    chunks: tuple[int, int]
    columns: tuple[int, int]
    task: int | None = None


class Direct:
    """Squared drift of the given pieces, drift_i = A^T y_i by one product per tile; gradients by hand.

    Args:
        first, last: the chunks the pieces lie in, `last` not included.

    Attributes:
        depends_on_draw: whether it is another sequence of products for other drawn tasks.
    """

    def __init__(
        self,
        layout: Layout,
        candidate: Candidate,
        previous: PreviousTasks,
        pieces: list[Piece],
        first: int,
        last: int,
    ) -> None:
        self._candidate, self._previous, self._pieces = candidate, previous, pieces
        self._blocks = list(Blocks(layout, candidate, first, last, previous.n_tasks))
        self._h, start = layout.h, candidate.n_constant
        used = slice(min(piece.columns[0] for piece in pieces), max(piece.columns[1] for piece in pieces))
        of_d = candidate.theta.last[..., start : layout.h, :]
        self._w = torch.zeros_like(of_d)
        # W = D + W*, where it is used
        self._summands = of_d[..., used], candidate.pair[..., layout.h + 1 :, used]
        self._sum = self._w[..., used]
        self.depends_on_draw = not previous.takes_all and any(piece.task is not None for piece in pieces)
        self._tiles: list[list[_Tile]] = []
        self._tiled_for: tuple[object, object] = None, None

    def add_gradient(self, gradient: FlatTheta, weight: float, want_value: bool = False) -> Tensor | None:
        """Add weight * gradient of the drift; return its (unweighted) value if wanted."""
        previous, theta = self._previous, self._candidate.theta
        drawn = list(previous.tasks) if self.depends_on_draw else None
        if self._tiled_for != (drawn, id(gradient)):
            self._tiles = [list(self._tile(first, rows, gradient)) for first, rows in self._blocks]
            self._tiled_for = drawn, id(gradient)
        value = self._w.new_zeros(theta.stack) if want_value else None
        torch.add(*self._summands, out=self._sum)
        for (first, rows), tiles in zip(self._blocks, self._tiles, strict=True):
            rows.forward(theta, first, previous.embeddings, previous.z_before(first, rows.n_chunks))
            rows.dz.zero_()
            for tile in tiles:
                drift = tile.y.mT @ tile.pair
                add_product(tile.gradient, tile.y_of_z, drift, alpha=2 * weight)
                add_product(tile.dz, tile.w, drift.mT, alpha=2 * weight)
                if value is not None:
                    value[tile.seed] += drift.square().sum((-2, -1))
            rows.backward(theta, gradient, first, previous.embeddings, previous.embedding_gradient)
        return value

    def _tile(self, first: int, rows: Rows, gradient: FlatTheta) -> Iterator[_Tile]:
        """The pieces within one block, a cacheful at a time; seed by seed where they draw different tasks."""
        stacked = len(self._candidate.theta.stack) > 0
        for piece in self._pieces:
            alone = stacked and self.depends_on_draw and piece.task is not None
            for seed in range(len(self._previous.tasks)) if alone else [...]:
                start, stop = self._columns_of(piece, first, rows.n_chunks, 0 if seed is ... else seed)
                if start < stop:
                    yield from self._tile_piece(piece, rows, gradient, slice(start, stop), seed)

    def _columns_of(self, piece: Piece, first: int, n_chunks: int, seed: int) -> tuple[int, int]:
        """The columns of y in a block of chunks from `first` on that a piece covers; none where start >= stop."""
        n_tasks, tasks = self._previous.n_tasks, self._previous.tasks[seed]
        start = max(piece.chunks[0] - first, 0) * n_tasks
        stop = min(piece.chunks[1] - first, n_chunks) * n_tasks
        if piece.task is None:
            return start, stop
        if piece.task not in tasks:
            return 0, 0
        start += tasks.index(piece.task)
        return start, min(stop, start + 1)

    def _tile_piece(
        self, piece: Piece, rows: Rows, gradient: FlatTheta, of_rows: slice, seed: int | EllipsisType
    ) -> Iterator[_Tile]:
        y, dz = rows.y[seed][..., of_rows], rows.dz[seed][..., of_rows]
        width = max(TILE // (of_rows.stop - of_rows.start), 64)
        for begin in range(*piece.columns, width):
            columns = slice(begin, min(begin + width, piece.columns[1]))
            pair, w = self._candidate.pair[seed][..., columns], self._w[seed][..., columns]
            yield _Tile(seed, y, y[..., : self._h + 1, :], dz, pair, w, gradient.last[seed][..., columns])


@dataclass(frozen=True)
class _Tile:
    """What is multiplied for some rows and some columns of the last layer, and where the gradients go.

    `seed` is the only one of the stacked seeds it is about, `...` for all.
    """

    seed: int | EllipsisType
    y: Tensor
    y_of_z: Tensor
    dz: Tensor
    pair: Tensor
    w: Tensor
    gradient: Tensor


def masked_pieces(layout: Layout, kept: Tensor) -> list[Piece]:
    """Pieces that cover the outputs marked in kept, bool (n_previous_tasks, n_outputs), chunk by chunk.

    A run of columns kept for all tasks is one piece, the others are one piece per task.
    """
    of_all = kept.all(dim=0)
    pieces = []
    for chunk in range(layout.n_chunks):
        outputs = slice(chunk * layout.chunk_size, min((chunk + 1) * layout.chunk_size, layout.n_outputs))
        span = chunk, chunk + 1
        pieces += [Piece(span, columns) for columns in _runs(of_all[outputs])]
        only_some = kept[:, outputs] & ~of_all[outputs]
        for task in only_some.any(dim=1).nonzero().flatten().tolist():
            pieces += [Piece(span, columns, task) for columns in _runs(only_some[task])]
    return pieces


def _runs(marked: Tensor) -> list[tuple[int, int]]:
    """Start and end of every run of True in a vector."""
    padded = torch.nn.functional.pad(marked.int(), (1, 1))
    change = padded.diff()
    starts, stops = (change == 1).nonzero().flatten().tolist(), (change == -1).nonzero().flatten().tolist()
    return list(zip(starts, stops, strict=True))
