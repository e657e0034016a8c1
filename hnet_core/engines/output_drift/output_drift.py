"""The output regulariser of von Oswald et al. (2020) without generating, or storing, any weights of previous tasks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from torch import Tensor

from hnet_core.engines.kernels.flat_theta import FlatTheta, Layout
from hnet_core.engines.kernels.lookahead_weights import LookaheadWeights
from hnet_core.engines.output_drift.direct import Direct, OutputRegion, masked_regions
from hnet_core.engines.output_drift.gram import Gram
from hnet_core.engines.output_drift.previous_tasks import PreviousTasks
from hnet_core.runtime.precision import full_float32

Form = Literal["auto", "gram", "direct"]


class OutputDrift:
    """R(theta) = mean over previous tasks j of || h(e_j, theta) - h(e_j, theta*) ||^2, eq. 2, and its gradient.

    Equal to hnet_core.regularizers.output.OutputRegularizer, which follows the paper line by line and is its oracle.
    For stacked seeds every tensor but `kept` has a leading dimension (S, ...), and each seed its own value.

    Args:
        theta_before: theta*; copied.
        embeddings: of the previous tasks, (n_previous_tasks, te).
        kept: generated weights to regularise for each previous task, bool (n_previous_tasks, n_outputs); None for all.
        n_drawn: number of previous tasks drawn in each step; None for all.
        form: gram, direct, or auto for the one with fewer multiplications.
        embedding_gradient: see PreviousTasks; None where the embeddings are constants.

    Attributes:
        lookahead: the weights at which R is evaluated; to be set before `add_gradient`.
        depends_on_draw: True if the operations differ between drawn tasks, so that the step cannot be recorded.
    """

    def __init__(
        self,
        layout: Layout,
        theta_before: FlatTheta,
        embeddings: Tensor,
        kept: Tensor | None = None,
        n_drawn: int | None = None,
        form: Form = "auto",
        embedding_gradient: Tensor | None = None,
    ) -> None:
        self.lookahead = LookaheadWeights(layout, theta_before)
        with full_float32():
            self._previous = PreviousTasks(layout, theta_before, embeddings, n_drawn, embedding_gradient)
            self._parts = self._make_parts(layout, kept, form)
        self.depends_on_draw = any(isinstance(part, Direct) and part.depends_on_draw for part in self._parts)

    def _make_parts(self, layout: Layout, kept: Tensor | None, form: Form) -> list[Gram | Direct]:
        parts: list[Gram | Direct] = []
        n_whole, cut = _regular_chunks(layout, kept)
        n_regular = n_whole + (cut is not None)
        if form == "auto":
            form = "gram" if gram_is_cheaper(layout, n_whole, self._previous.n_tasks) else "direct"
        if form == "gram" and n_regular:
            parts.append(Gram(layout, self.lookahead, self._previous, n_whole, cut))
        else:
            n_regular = 0
        regions = _unmasked_regions(layout, n_whole, cut) if not n_regular else []
        if kept is not None:
            after = n_whole + (cut is not None)
            regions += [region for region in masked_regions(layout, kept) if region.chunks[0] >= after]
        if regions:
            parts.append(Direct(layout, self.lookahead, self._previous, regions, n_regular, layout.n_chunks))
        return parts

    def draw(self, tasks: Sequence[int] | None, seed: int = 0) -> None:
        """Set the previous tasks to average over from now on, as many as `n_drawn`; None for all."""
        self._previous.draw(tasks, seed)

    def add_gradient(self, gradient: FlatTheta, beta: float, want_value: bool = False) -> Tensor | None:
        """Add beta * gradient of R at the look-ahead weights to `gradient`.

        Args:
            want_value: return R too, () or (S,), at a small extra cost.
        """
        n_tasks = self._previous.n_tasks
        with full_float32():
            self._previous.gather()
            values = [part.add_gradient(gradient, beta / n_tasks, want_value) for part in self._parts]
        drifts = [value for value in values if value is not None]
        return sum(drifts[1:], start=drifts[0]) / n_tasks if drifts else None


def gram_is_cheaper(layout: Layout, n_whole: int, n_tasks: int) -> bool:
    """Return whether the Gram form takes fewer multiply-adds for the last layer than generating the drift.

    Narrow layers are bound by memory bandwidth in the direct form, which the factor accounts for (measured).
    """
    direct = direct_multiply_adds(layout, n_whole, n_tasks)
    return gram_multiply_adds(layout, n_whole, n_tasks) < direct * (1.5 if layout.h < 32 else 1.0)


def gram_multiply_adds(layout: Layout, n_whole: int, n_tasks: int) -> int:
    """Return 2 (N + M)(h + 1) k for M pairs of a chunk and a task; M is the number of chunks without a hidden layer."""
    n_pairs = n_whole * n_tasks if layout.hidden else n_whole
    return 2 * (layout.chunk_size + n_pairs) * (layout.h + 1) * _rows_of_pair(layout)


def direct_multiply_adds(layout: Layout, n_whole: int, n_tasks: int) -> int:
    """Return M N (k + 2h + 1) for M pairs of a chunk and a task."""
    return n_whole * n_tasks * layout.chunk_size * (_rows_of_pair(layout) + 2 * layout.h + 1)


def _rows_of_pair(layout: Layout) -> int:
    """Return k, the number of rows of A = [D; W*]."""
    return layout.h + 1 + (layout.h if layout.hidden else layout.chunk_embedding)


def _regular_chunks(layout: Layout, kept: Tensor | None) -> tuple[int, int | None]:
    """Return the number of leading chunks in full use for all tasks, and the outputs of a cut chunk after them."""
    is_cut = layout.last_chunk < layout.chunk_size
    if kept is None:
        return layout.n_chunks - is_cut, layout.last_chunk if is_cut else None
    masked = (~kept.all(dim=0)).nonzero()
    if not len(masked):
        return _regular_chunks(layout, None)
    return int(masked[0]) // layout.chunk_size, None


def _unmasked_regions(layout: Layout, n_whole: int, cut: int | None) -> list[OutputRegion]:
    regions = [OutputRegion((0, n_whole), (0, layout.chunk_size))] if n_whole else []
    return regions if cut is None else [*regions, OutputRegion((n_whole, n_whole + 1), (0, cut))]
