"""Snapshots of the weights generated for previous tasks, and their drift since."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor

from hnet_core.hypernets import Hypernet
from hnet_core.hypernets.channelwise import ChannelwiseHypernet


class Snapshot(Protocol):
    """Squared drift of the weights generated for previous tasks."""

    def drift(self, theta: Sequence[Tensor], embeddings: Tensor, tasks: Tensor) -> Tensor:
        """Return the mean over `tasks` of |h(e_j, theta) - h(e*_j, theta*)|^2, differentiable in theta and embeddings.

        Args:
            embeddings: the present embeddings of these tasks, (len(tasks), embedding_size).
            tasks: indices of previous tasks, int64.
        """


class WeightSnapshot:
    """A snapshot of all weights, (n_previous_tasks, n_outputs), for any hypernetwork."""

    def __init__(self, hypernet: Hypernet, theta: Sequence[Tensor], embeddings: Tensor) -> None:
        self._hypernet = hypernet
        with torch.no_grad():
            self._before = hypernet.generate(theta, embeddings)

    def drift(self, theta: Sequence[Tensor], embeddings: Tensor, tasks: Tensor) -> Tensor:
        drift = self._hypernet.generate(theta, embeddings) - self._before[tasks]
        return drift.square().sum() / len(tasks)


class ChannelSnapshot:
    """A snapshot of the two summands of the weights, with equal drift, for the channel-wise hypernetwork.

    The summand of the channel does not depend on the task, so that neither memory nor time grows with the product of
    both, and a convolution is generated about once per step for any number of previous tasks.
    """

    def __init__(self, hypernet: ChannelwiseHypernet, theta: Sequence[Tensor], embeddings: Tensor) -> None:
        self._hypernet = hypernet
        with torch.no_grad():
            self._before = hypernet.generate_parts(theta, embeddings)

    def drift(self, theta: Sequence[Tensor], embeddings: Tensor, tasks: Tensor) -> Tensor:
        now = self._hypernet.generate_parts(theta, embeddings)
        distances = [part.squared_distance(before, tasks) for part, before in zip(now, self._before, strict=True)]
        return torch.stack(distances).sum() / len(tasks)


def snapshot(hypernet: Hypernet, theta: Sequence[Tensor], embeddings: Tensor, engine: str) -> Snapshot:
    """Return the cheapest snapshot of a hypernetwork; engine plain takes WeightSnapshot, as in the paper."""
    known: object = hypernet
    if engine != "plain" and type(known) is ChannelwiseHypernet:
        return ChannelSnapshot(known, theta, embeddings)
    return WeightSnapshot(hypernet, theta, embeddings)
