"""Floating-point operations of matrix products that an engine cannot avoid: two per multiply-add."""

from __future__ import annotations

import itertools

from hnet_core.engines.kernels.flat_theta import Layout
from hnet_core.engines.output_drift.output_drift import gram_multiply_adds
from hnet_core.hypernets import Hypernet
from hnet_core.targets.mlp import Mlp

BOTH_PASSES = 3  # a backward pass is two products for each one of the forward pass


def target_step(target: Mlp, batch_size: int, head: int) -> int:
    """Count a forward and backward pass of one batch through `head` outputs, without the gradient of the inputs."""
    n_inputs, first, *_ = target.widths
    last, n_outputs = target.widths[-2:]
    forward = target.multiply_adds(batch_size) - batch_size * last * (n_outputs - head)
    return 2 * (BOTH_PASSES * forward - batch_size * n_inputs * first)


def generation_step(hypernet: Hypernet) -> int:
    """Count a forward and backward pass of the hypernetwork for one task."""
    return 2 * BOTH_PASSES * hypernet.multiply_adds()


def loop(hypernet: Hypernet, n_previous: int) -> int:
    """Count the regulariser computed task by task."""
    return n_previous * generation_step(hypernet)


def gram(layout: Layout, n_previous: int) -> int:
    """Count the regulariser in its Gram form, with the hidden layers after the split first one."""
    n_rows = layout.n_chunks * n_previous if layout.hidden else layout.n_chunks
    hidden = n_rows * sum(n_in * n_out for n_in, n_out in itertools.pairwise(layout.hidden))
    return 2 * (BOTH_PASSES * hidden + gram_multiply_adds(layout, layout.n_chunks, n_previous))
