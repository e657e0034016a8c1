"""The drift of many generated weights from small products only: sum_i |D [z_i; 1] + W* d_i|^2 = tr(G S)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from hnet_core.engines.kernels.flat_theta import FlatTheta, Layout, aligned
from hnet_core.engines.kernels.lookahead_weights import LookaheadWeights
from hnet_core.engines.kernels.matmul import add_product, product
from hnet_core.engines.output_drift.last_layer_inputs import InputBlocks, LastLayerInputs
from hnet_core.engines.output_drift.previous_tasks import PreviousTasks

WHOLE, CUT = -1, 0  # groups of chunks; equal if no chunk is cut


class Gram:
    """Squared drift of all complete chunks, and of the cut last one, for all previous tasks at once.

    With A = [D; W*] (k, N), G = A A^T and S = sum_i y_i y_i^T over y_i = [z_i; 1; d_i] the drift is tr(G S), and

        d/dD   = 2 (S A)[:h + 1]
        d/dz_i = 2 W A^T y_i, where W = (D + W*)[:h].

    Neither product has a dimension of the number of generated weights times tasks. The cut chunk has the first
    columns of A only: G is summed from that head and the rest, each with the S of the chunks that use it, so that
    nothing is subtracted.

    Without a hidden layer y_jk = [e_j; q_k] for task j and chunk k, and sum_j y_jk y_jk^T = n y_k y_k^T + the scatter
    of the e_j about their mean, with y_k = [mean e; q_k]: the work does not depend on the number n of tasks.

    Args:
        n_whole: chunks with all outputs in use, from the first on.
        cut: outputs in use of the chunk after those; None if that chunk is not treated here.
    """

    def __init__(
        self, layout: Layout, lookahead: LookaheadWeights, previous: PreviousTasks, n_whole: int, cut: int | None
    ) -> None:
        self._theta, self._previous = lookahead.theta, previous
        self._collapsed = not layout.hidden
        self._n_whole, self._is_cut = n_whole, cut is not None
        self._last_layers = _LastLayers(layout, lookahead, cut)
        h, like, groups = layout.h, lookahead.pair, (1 + self._is_cut, *lookahead.theta.stack)
        # S: rows of [z; 1], and for the value those of d
        self._s = like.new_zeros(*groups, h + 1, lookahead.n_pair)
        self._s_of_d = like.new_zeros(*groups, lookahead.n_pair - h - 1, lookahead.n_pair - h - 1)
        n_tasks = 1 if self._collapsed else previous.n_tasks
        blocks = InputBlocks(layout, lookahead, 0, n_whole + self._is_cut, n_tasks)
        self._blocks = [(first, inputs, self._products(first, inputs, n_tasks, h)) for first, inputs in blocks]

    def add_gradient(self, gradient: FlatTheta, weight: float, want_value: bool = False) -> Tensor | None:
        """Add weight * gradient of the drift; return its (unweighted) value only if wanted, at a small extra cost."""
        previous, theta = self._previous, self._theta
        embeddings, n_equal = previous.embeddings, 1
        if self._collapsed:
            embeddings, n_equal = embeddings.mean(dim=-2, keepdim=True), previous.n_tasks
        self._last_layers.refresh()
        self._start_moments(embeddings)
        for first, inputs, products in self._blocks:
            inputs.forward(theta, first, embeddings, previous.z_before(first, inputs.n_chunks))
            for part in products:
                add_product(part.s, part.y_of_z, part.y.mT, alpha=n_equal)
                product(part.of_w, part.y, part.dz, alpha=2 * weight * n_equal)
                if want_value:
                    add_product(part.s_of_d, part.y_of_d, part.y_of_d.mT, alpha=n_equal)
            inputs.backward(theta, gradient, first, embeddings, previous.embedding_gradient)
        value = self._last_layers.trace(self._s, self._s_of_d) if want_value else None
        if self._is_cut:
            self._s[CUT].add_(self._s[WHOLE])  # the head of the columns is used by all chunks
        self._last_layers.add_product(self._s, gradient, 2 * weight)
        return value

    def _products(self, first: int, inputs: LastLayerInputs, n_tasks: int, h: int) -> list[_Product]:
        """Return views for the complete chunks of a block and for its cut chunk, if any."""
        n_whole = min(max(self._n_whole - first, 0), inputs.n_chunks) * n_tasks
        products = []
        for group, columns in ((WHOLE, slice(0, n_whole)), (CUT, slice(n_whole, None))):
            y, of_w = inputs.y[..., columns], self._last_layers.of_w[group]
            if y.shape[-1]:
                s, s_of_d = self._s[group], self._s_of_d[group]
                y_of_z, y_of_d = y[..., : h + 1, :], y[..., h + 1 :, :]
                products.append(_Product(s, s_of_d, y, y_of_z, y_of_d, inputs.dz[..., columns], of_w))
        return products

    def _start_moments(self, mean: Tensor) -> None:
        self._s.zero_()
        self._s_of_d.zero_()
        if self._collapsed:
            centred, te = self._previous.embeddings - mean, mean.shape[-1]
            scatter = centred.mT @ centred
            self._s[WHOLE][..., :te, :te].add_(scatter, alpha=self._n_whole)
            if self._is_cut:
                self._s[CUT][..., :te, :te].add_(scatter)


@dataclass(frozen=True)
class _Product:
    """Factors of the products for one group of chunks in one block, and the buffers of the results."""

    s: Tensor
    s_of_d: Tensor
    y: Tensor
    y_of_z: Tensor
    y_of_d: Tensor
    dz: Tensor
    of_w: Tensor


class _LastLayers:
    """G and W A^T over the head of the columns of A [CUT] and over all of them [WHOLE].

    Attributes:
        of_w: W A^T, of the inputs of the last layer that can change, (n_groups, h - n_constant, k),
            or (n_groups, S, ...) for stacked seeds.
    """

    def __init__(self, layout: Layout, lookahead: LookaheadWeights, cut: int | None) -> None:
        h, start, k = layout.h, lookahead.n_constant, lookahead.n_pair
        columns = [slice(0, None)] if cut is None else [slice(0, cut), slice(cut, None)]
        self._columns = columns
        self._pairs = [lookahead.pair[..., part] for part in columns]
        padded = [lookahead.padded_pair[..., part] for part in columns]
        self._factors = [(rows[..., : aligned(h + 1, 4), :], rows.mT) for rows in padded]
        groups, (rows, transposed) = (len(columns), *lookahead.theta.stack), self._factors[0]
        products = lookahead.pair.new_zeros(*groups, rows.shape[-2], transposed.shape[-1])
        self._products = list(products)
        self._in_d = slice(h + 1, k)
        self._g = products[..., : h + 1, :k]  # its rows of D
        self.of_w = lookahead.pair.new_zeros(*groups, h - start, k)
        self._of_w_before = torch.zeros_like(self.of_w)  # W* A^T, its part W* W*^T constant during the task
        before = [pair[..., self._in_d, :] for pair in self._pairs]
        self._of_w_before[..., self._in_d] = torch.stack([w @ w.mT for w in before]).cumsum(0)
        self._of_w_before_and_d = self._of_w_before[..., : h + 1]
        self._g_of_d, self._g_of_z = self._g[..., self._in_d].mT, self._g[..., start:h, :]

    def refresh(self) -> None:
        """Recompute G and W A^T for the current D."""
        for result, (rows, transposed) in zip(self._products, self._factors, strict=True):
            product(rows, transposed, result)
        if len(self._products) > 1:
            self._products[WHOLE].add_(self._products[CUT])
        self._of_w_before_and_d.copy_(self._g_of_d)
        torch.add(self._g_of_z, self._of_w_before, out=self.of_w)

    def trace(self, s: Tensor, s_of_d: Tensor) -> Tensor:
        """Return tr(G S) summed over the groups, from the rows of [z; 1] of S and the block of d; () or (S,)."""
        in_d, over = self._in_d, (0, -2, -1)
        of_rows_of_z = (self._g * s).sum(over) + (self._g[..., in_d] * s[..., in_d]).sum(over)
        return of_rows_of_z + (self._of_w_before[..., in_d] * s_of_d).sum(over)

    def add_product(self, s: Tensor, gradient: FlatTheta, weight: float) -> None:
        """Add weight * S A to the gradient of the last layer, S[i] over the i-th part of the columns."""
        for part, columns, pair in zip(s, self._columns, self._pairs, strict=True):
            add_product(gradient.last[..., columns], part, pair, alpha=weight)
