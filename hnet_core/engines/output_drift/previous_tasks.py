"""Data kept of the previous tasks: their embeddings, and the inputs of the last layer for them before this task."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from hnet_core.engines.kernels.encoders import encoder
from hnet_core.engines.kernels.flat_theta import FlatTheta, Layout


class PreviousTasks:
    """Previous tasks in the regulariser: all of them, or a drawn subset; each task makes one row per chunk.

    No generated weight is stored, only h numbers per chunk and task instead of N target weights. Every tensor
    has the leading dimension of theta_before, if that holds stacked seeds; each seed draws its own tasks.

    Args:
        theta_before: theta*, the weights before the current task.
        embeddings: of the previous tasks, (n_previous_tasks, te).
        n_drawn: number of them in each step, None for all.
        embedding_gradient: if the embeddings are trained too, the buffer to add their gradient to, of the same shape;
            `embeddings` are then read again at each step.

    Attributes:
        embeddings: of the tasks in use, (n_tasks, te); after `gather`.
        tasks: their indices, one sequence per seed.
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
                "embeddings of previous tasks must train with all tasks and a hidden layer; use the plain engine."
            )
        self.embedding_gradient = embedding_gradient
        self._all = embeddings.detach().clone() if embedding_gradient is None else embeddings.detach()
        self.n_previous = self._all.shape[-2]
        self.n_tasks = min(n_drawn or self.n_previous, self.n_previous)
        self.takes_all = self.n_tasks == self.n_previous
        n_seeds, te = theta_before.stack.numel(), self._all.shape[-1]
        self.tasks: list[Sequence[int]] = [range(self.n_tasks)] * n_seeds
        self._z_before = _last_layer_inputs(layout, theta_before, self._all)
        self.embeddings = self._all[..., : self.n_tasks, :]
        if not self.takes_all:
            self.embeddings = self.embeddings.clone()
            first = torch.arange(self.n_tasks, device=self._all.device)
            self._index = first.repeat(*theta_before.stack, 1)  # (n_tasks,), stays where it is
            self._of_seeds = list(self._index.view(n_seeds, self.n_tasks))
            self._index_of_embeddings = self._index.unsqueeze(-1).expand(*theta_before.stack, self.n_tasks, te)

    def draw(self, tasks: Sequence[int] | None, seed: int = 0) -> None:
        """Set the tasks of one seed from now on; None for all."""
        tasks = range(self.n_previous) if tasks is None else tasks
        if len(tasks) != self.n_tasks:
            raise ValueError(f"{self.n_tasks} previous tasks must be given, got {len(tasks)}; set n_drawn accordingly.")
        if self.takes_all:
            if len(set(tasks)) != len(tasks):
                raise ValueError(f"each previous task must be given once, got {list(tasks)}.")
            return
        self.tasks[seed] = tasks
        on_gpu = self._index.is_cuda  # a copy out of pinned memory does not wait for the device
        self._of_seeds[seed].copy_(torch.tensor(tasks, pin_memory=on_gpu), non_blocking=on_gpu)

    def gather(self) -> None:
        """Gather the embeddings of the drawn tasks."""
        if not self.takes_all:
            torch.gather(self._all, -2, self._index_of_embeddings, out=self.embeddings)

    def z_before(self, first_chunk: int, n_chunks: int) -> Tensor:
        """Return the inputs z* of the last layer that can change, (h - n_constant, n_chunks, n_tasks or 1)."""
        block = self._z_before[..., first_chunk : first_chunk + n_chunks, :]
        if self.takes_all or block.shape[-1] == 1:
            return block
        if block.dim() == 3:
            return block.index_select(2, self._index)
        index = self._index[:, None, None, :].expand(*block.shape[:-1], self.n_tasks)
        return block.gather(-1, index)


def _last_layer_inputs(layout: Layout, theta: FlatTheta, embeddings: Tensor) -> Tensor:
    """Return z*; without a hidden layer these are the chunk embeddings, the same for all tasks."""
    if not layout.hidden:
        return theta.chunks.mT.unsqueeze(-1).clone()
    n_tasks = embeddings.shape[-2]
    z = embeddings.new_empty(*theta.stack, layout.h, layout.n_chunks)
    one_task = encoder(layout, layout.n_chunks, 1, z)
    kept = embeddings.new_empty(*theta.stack, layout.h, layout.n_chunks, n_tasks)
    for task in range(n_tasks):
        one_task.forward(theta, 0, embeddings[..., task : task + 1, :])
        kept[..., task] = z
    return kept
