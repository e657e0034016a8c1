"""The drift of generated weights, generated in full: for partly counted chunks, and where that is cheaper."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import EllipsisType

import torch
from torch import Tensor

from hnet_core.engines.kernels.flat_theta import FlatTheta, Layout
from hnet_core.engines.kernels.lookahead_weights import LookaheadWeights
from hnet_core.engines.kernels.matmul import add_product
from hnet_core.engines.output_drift.last_layer_inputs import InputBlocks, LastLayerInputs
from hnet_core.engines.output_drift.previous_tasks import PreviousTasks

TILE = 2**18  # drifts per tile: they stay in the cache between the products


@dataclass(frozen=True)
class OutputRegion:
    """Outputs regularised together: those of some consecutive chunks in some columns of the last layer.

    Attributes:
        chunks: from, to (not included).
        columns: likewise.
        task: the only previous task they are regularised for, None for all.
    """

    chunks: tuple[int, int]
    columns: tuple[int, int]
    task: int | None = None


class Direct:
    """Squared drift of the given regions, drift_i = A^T y_i by one product per tile; gradients by hand.

    Args:
        first, last: the chunks of the regions, `last` not included.

    Attributes:
        depends_on_draw: True if the sequence of products differs between drawn tasks.
    """

    def __init__(
        self,
        layout: Layout,
        lookahead: LookaheadWeights,
        previous: PreviousTasks,
        regions: list[OutputRegion],
        first: int,
        last: int,
    ) -> None:
        self._lookahead, self._previous, self._regions = lookahead, previous, regions
        self._blocks = list(InputBlocks(layout, lookahead, first, last, previous.n_tasks))
        self._h, start = layout.h, lookahead.n_constant
        used = slice(min(region.columns[0] for region in regions), max(region.columns[1] for region in regions))
        of_d = lookahead.theta.last[..., start : layout.h, :]
        self._w = torch.zeros_like(of_d)
        # W = D + W*, where it is used
        self._summands = of_d[..., used], lookahead.pair[..., layout.h + 1 :, used]
        self._sum = self._w[..., used]
        self.depends_on_draw = not previous.takes_all and any(region.task is not None for region in regions)
        self._tiles: list[list[_RegionTile]] = []
        self._tiled_for: tuple[object, object] = None, None

    def add_gradient(self, gradient: FlatTheta, weight: float, want_value: bool = False) -> Tensor | None:
        """Add weight * gradient of the drift; return its (unweighted) value if wanted."""
        previous, theta = self._previous, self._lookahead.theta
        drawn = list(previous.tasks) if self.depends_on_draw else None
        if self._tiled_for != (drawn, id(gradient)):
            self._tiles = [list(self._tile(first, inputs, gradient)) for first, inputs in self._blocks]
            self._tiled_for = drawn, id(gradient)
        value = self._w.new_zeros(theta.stack) if want_value else None
        torch.add(*self._summands, out=self._sum)
        for (first, inputs), tiles in zip(self._blocks, self._tiles, strict=True):
            inputs.forward(theta, first, previous.embeddings, previous.z_before(first, inputs.n_chunks))
            inputs.dz.zero_()
            for tile in tiles:
                drift = tile.y.mT @ tile.pair
                add_product(tile.gradient, tile.y_of_z, drift, alpha=2 * weight)
                add_product(tile.dz, tile.w, drift.mT, alpha=2 * weight)
                if value is not None:
                    value[tile.seed] += drift.square().sum((-2, -1))
            inputs.backward(theta, gradient, first, previous.embeddings, previous.embedding_gradient)
        return value

    def _tile(self, first: int, inputs: LastLayerInputs, gradient: FlatTheta) -> Iterator[_RegionTile]:
        """Split the regions within one block into cache-sized tiles; one per seed where seeds draw different tasks."""
        stacked = len(self._lookahead.theta.stack) > 0
        for region in self._regions:
            alone = stacked and self.depends_on_draw and region.task is not None
            for seed in range(len(self._previous.tasks)) if alone else [...]:
                start, stop = self._columns_of(region, first, inputs.n_chunks, 0 if seed is ... else seed)
                if start < stop:
                    yield from self._tile_region(region, inputs, gradient, slice(start, stop), seed)

    def _columns_of(self, region: OutputRegion, first: int, n_chunks: int, seed: int) -> tuple[int, int]:
        """Return the columns of y in a block of chunks from `first` on that a region covers; none if start >= stop."""
        n_tasks, tasks = self._previous.n_tasks, self._previous.tasks[seed]
        start = max(region.chunks[0] - first, 0) * n_tasks
        stop = min(region.chunks[1] - first, n_chunks) * n_tasks
        if region.task is None:
            return start, stop
        if region.task not in tasks:
            return 0, 0
        start += tasks.index(region.task)
        return start, min(stop, start + 1)

    def _tile_region(
        self,
        region: OutputRegion,
        inputs: LastLayerInputs,
        gradient: FlatTheta,
        y_columns: slice,
        seed: int | EllipsisType,
    ) -> Iterator[_RegionTile]:
        y, dz = inputs.y[seed][..., y_columns], inputs.dz[seed][..., y_columns]
        width = max(TILE // (y_columns.stop - y_columns.start), 64)
        for begin in range(*region.columns, width):
            columns = slice(begin, min(begin + width, region.columns[1]))
            pair, w = self._lookahead.pair[seed][..., columns], self._w[seed][..., columns]
            yield _RegionTile(seed, y, y[..., : self._h + 1, :], dz, pair, w, gradient.last[seed][..., columns])


@dataclass(frozen=True)
class _RegionTile:
    """Factors of the products for one cache-sized part of a region, and the buffers of their gradients.

    `seed` is the position of the one stacked seed concerned, `...` for all.
    """

    seed: int | EllipsisType
    y: Tensor
    y_of_z: Tensor
    dz: Tensor
    pair: Tensor
    w: Tensor
    gradient: Tensor


def masked_regions(layout: Layout, kept: Tensor) -> list[OutputRegion]:
    """Return regions that cover the outputs marked in kept, bool (n_previous_tasks, n_outputs), chunk by chunk.

    A run of columns kept for all tasks is one region, the others are one region per task.
    """
    of_all = kept.all(dim=0)
    regions = []
    for chunk in range(layout.n_chunks):
        outputs = slice(chunk * layout.chunk_size, min((chunk + 1) * layout.chunk_size, layout.n_outputs))
        span = chunk, chunk + 1
        regions += [OutputRegion(span, columns) for columns in _runs(of_all[outputs])]
        only_some = kept[:, outputs] & ~of_all[outputs]
        for task in only_some.any(dim=1).nonzero().flatten().tolist():
            regions += [OutputRegion(span, columns, task) for columns in _runs(only_some[task])]
    return regions


def _runs(marked: Tensor) -> list[tuple[int, int]]:
    """Return start and end of every run of True in a vector."""
    padded = torch.nn.functional.pad(marked.int(), (1, 1))
    change = padded.diff()
    starts, stops = (change == 1).nonzero().flatten().tolist(), (change == -1).nonzero().flatten().tolist()
    return list(zip(starts, stops, strict=True))
