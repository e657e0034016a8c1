"""What is kept of the previous tasks: their embeddings, and what the last layer read for them before this task."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from hnet_core.engines.encoders import encoder
from hnet_core.engines.layout import FlatTheta, Layout


class PreviousTasks:
    """The rows of the regulariser: all pairs of a chunk and a previous task, or of a drawn subset of them.

    No generated weight is stored: h numbers per chunk and task are, where the target weights would be N.

    Args:
        theta_before: theta*, the weights before the current task.
        embeddings: of the previous tasks, (n_previous_tasks, te).
        n_drawn: how many of them a step takes, None for all.
        embedding_gradient: where the embeddings are trained too: what to add their gradient to, of the same shape;
            `embeddings` are then read anew at each step.

    Attributes:
        embeddings: of the tasks in use, (n_tasks, te).
        tasks: their indices.
    """

    def __init__(
        self,
        layout: Layout,
        theta_before: FlatTheta,
        embeddings: Tensor,
        n_drawn: int | None = None,
        embedding_gradient: Tensor | None = None,
    ) -> None:
        if embedding_gradient is not None and (n_drawn is not None or not layout.hidden):
            raise ValueError(
                "embeddings of previous tasks train with all tasks and a hidden layer only; train the plain engine."
            )
        self.embedding_gradient = embedding_gradient
        self._all = embeddings.detach().clone() if embedding_gradient is None else embeddings.detach()
        self.n_previous = len(embeddings)
        self.n_tasks = min(n_drawn or self.n_previous, self.n_previous)
        self.tasks: Sequence[int] = range(self.n_tasks)
        self.embeddings = self._all[: self.n_tasks]
        self._z_before = _last_layer_inputs(layout, theta_before, self._all)
        self._index: Tensor | None = None

    def draw(self, tasks: Sequence[int] | None) -> None:
        """Use these tasks from now on; None for all."""
        if tasks is None:
            tasks = range(self.n_previous)
        if len(tasks) != self.n_tasks:
            raise ValueError(f"{self.n_tasks} previous tasks must be given, got {len(tasks)}; set n_drawn accordingly.")
        if tasks == self.tasks and self._index is None:
            return
        self.tasks = tasks
        self._index = torch.tensor(tasks, device=self._all.device)
        self.embeddings = self._all.index_select(0, self._index)

    def z_before(self, first_chunk: int, n_chunks: int) -> Tensor:
        """The inputs z* of the last layer that can change, (h - n_constant, n_chunks, n_tasks or 1)."""
        block = self._z_before[:, first_chunk : first_chunk + n_chunks]
        return block if self._index is None or block.shape[2] == 1 else block.index_select(2, self._index)


def _last_layer_inputs(layout: Layout, theta: FlatTheta, embeddings: Tensor) -> Tensor:
    """z*; without a hidden layer it is the chunk embeddings, the same for all tasks."""
    if not layout.hidden:
        return theta.chunks.T.unsqueeze(2).clone()
    z = embeddings.new_empty(layout.h, layout.n_chunks)
    one_task = encoder(layout, layout.n_chunks, 1, z)
    kept = embeddings.new_empty(layout.h, layout.n_chunks, len(embeddings))
    for task in range(len(embeddings)):
        one_task.forward(theta, 0, embeddings[task : task + 1])
        kept[:, :, task] = z
    return kept
