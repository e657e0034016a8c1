"""Regularisers that protect previous tasks: penalties on the drift of generated weights, or of shared weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from hnet_core.hypernets import Hypernet
from hnet_core.runtime.precision import full_float32
from hnet_core.targets.target import cut

NormName = Literal["l1", "l2"]


class OutputRegularizer:
    """R(theta) = mean over previous tasks j of || h(e_j, theta) - h(e_j, theta*) ||^2, eq. 2 of the paper.

    "Continual learning with hypernetworks", ICLR 2020, https://arxiv.org/abs/1906.00695. The sum runs over all
    generated weights (no 1/D); the embeddings e_j of previous tasks are constants.

    Args:
        hypernet: h.
        theta: the weights theta* before the current task.
        embeddings: of the previous tasks, (n_previous_tasks, embedding_size).
        kept: generated weights to regularise for each previous task, bool (n_previous_tasks, n_outputs); None for all.
        importance: weight of each squared difference, (n_previous_tasks, n_outputs); None for 1.
        store_targets: keep the (n_previous_tasks, n_outputs) weights h(e_j, theta*), as the official code does, or
            generate them again from a copy of theta* at each call, as in the paper: the same numbers for less
            memory and twice the work.
    """

    def __init__(
        self,
        hypernet: Hypernet,
        theta: Sequence[Tensor],
        embeddings: Tensor,
        kept: Tensor | None = None,
        *,
        importance: Tensor | None = None,
        store_targets: bool = True,
    ) -> None:
        self._hypernet = hypernet
        self._theta_before = [part.detach().clone() for part in theta]
        self._embeddings = embeddings.detach()
        self._kept, self._importance = kept, importance
        with torch.no_grad(), full_float32():
            self._targets = [self._generate(self._theta_before, task) for task in self._tasks] if store_targets else []

    @property
    def n_previous_tasks(self) -> int:
        return len(self._embeddings)

    @property
    def _tasks(self) -> range:
        return range(self.n_previous_tasks)

    def gradient(
        self, theta: Sequence[Tensor], tasks: Sequence[int] | None = None, embeddings: Sequence[Tensor] = ()
    ) -> tuple[Tensor, list[Tensor]]:
        """Return R and its gradient with respect to theta, and to the embeddings where some are given.

        Args:
            theta: the point of evaluation, usually the look-ahead theta + dtheta.
            tasks: previous tasks to average over; None for all. A random subset gives an unbiased estimate.
            embeddings: present ones of all previous tasks, (embedding_size,) each; none: those of the start.
        """
        leaves = [part.detach().requires_grad_() for part in [*theta, *embeddings]]
        theta, embeddings = leaves[: len(theta)], leaves[len(theta) :]
        tasks = self._tasks if tasks is None else tasks
        value = torch.zeros((), dtype=leaves[0].dtype, device=leaves[0].device)
        gradient = [torch.zeros_like(part) for part in leaves]
        with full_float32():
            for task in tasks:
                drift = self._squared_drift(theta, task, embeddings[task] if embeddings else None) / len(tasks)
                parts = torch.autograd.grad(drift, leaves, allow_unused=len(embeddings) > 0)
                for total, part in zip(gradient, parts, strict=True):
                    if part is not None:
                        total += part
                value += drift.detach()
        return value, gradient

    def _squared_drift(self, theta: Sequence[Tensor], task: int, embedding: Tensor | None) -> Tensor:
        drift = self._drift(theta, task, embedding).square()
        return drift.sum() if self._importance is None else (drift * self._importance[task]).sum()

    def _drift(self, theta: Sequence[Tensor], task: int, embedding: Tensor | None) -> Tensor:
        """Return h(e_j, theta) - h(e*_j, theta*) for the kept weights, (n_outputs,); exactly 0 where theta = theta*."""
        with torch.no_grad():
            before = self._targets[task] if self._targets else self._generate(self._theta_before, task)
        drift = self._generate(theta, task, embedding) - before
        return drift if self._kept is None else drift * self._kept[task]

    def _generate(self, theta: Sequence[Tensor], task: int, embedding: Tensor | None = None) -> Tensor:
        """Return h(e_j, theta), one task at a time: equal products in equal order round equally."""
        own = self._embeddings[task : task + 1] if embedding is None else embedding.unsqueeze(0)
        return self._hypernet.generate(theta, own).squeeze(0)


def weight_drift(
    weights: Tensor, before: Tensor, shapes: tuple[tuple[int, ...], ...], norm: NormName, factor: Tensor | None = None
) -> Tensor:
    """Sum the norm of (weights - before) * factor over the tensors of a target network, a scalar.

    The target-weight regulariser of HyperMask (Ksiazek and Spurek 2023), its factor a mask or None for all weights.

    Args:
        weights, before, factor: flat, (n_weights,).
        shapes: of the tensors the flat vectors are cut into.
        norm: l1 or l2 of each tensor, not squared, not divided by its size.
    """
    drift = weights - before if factor is None else (weights - before) * factor
    order = {"l1": 1, "l2": 2}[norm]
    return torch.stack([torch.linalg.vector_norm(part, order) for part in cut(drift, shapes)]).sum()
