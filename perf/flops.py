"""Floating-point operations that an engine cannot do without: two per multiply-add, matrix products only."""

from __future__ import annotations

import itertools

from hnet_core.engines.kernels.flat_theta import Layout
from hnet_core.targets.mlp import Mlp


def target_step(target: Mlp, batch_size: int, head: int) -> int:
    """Forward and backward pass of one batch; the gradient of the inputs is not needed."""
    widths = [*target.widths[:-1], head]
    pairs = [n_in * n_out for n_in, n_out in itertools.pairwise(widths)]
    return 2 * batch_size * (3 * sum(pairs) - pairs[0])


def generation_step(layout: Layout) -> int:
    """Forward and backward pass of the hypernetwork for one task."""
    return 3 * _forward(layout, layout.n_chunks)


def loop(layout: Layout, n_previous: int) -> int:
    """The regulariser task by task."""
    return n_previous * generation_step(layout)


def gram(layout: Layout, n_previous: int) -> int:
    """The regulariser by small products; the hidden layers as they are, their first one split."""
    n_rows = layout.n_chunks * n_previous if layout.hidden else layout.n_chunks
    k = layout.h + 1 + (layout.h if layout.hidden else layout.chunk_embedding)
    hidden = 3 * 2 * n_rows * sum(n_in * n_out for n_in, n_out in itertools.pairwise(layout.hidden))
    return hidden + 4 * (layout.chunk_size + n_rows) * (layout.h + 1) * k


def _forward(layout: Layout, n_rows: int) -> int:
    pairs = itertools.pairwise((*layout.widths, layout.chunk_size))
    return 2 * n_rows * sum(n_in * n_out for n_in, n_out in pairs)
