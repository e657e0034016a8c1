"""The weights generated for previous tasks as they were, and how far they have drifted since."""

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
        """Mean over `tasks` of |h(e_j, theta) - h(e*_j, theta*)|^2, a scalar, differentiable in theta and embeddings.

        Args:
            embeddings: as they are now, of these tasks, (len(tasks), embedding_size).
            tasks: which of the previous tasks, int64.
        """


class WeightSnapshot:
    """Keeps all weights, (n_previous_tasks, n_outputs): any hypernetwork."""

    def __init__(self, hypernet: Hypernet, theta: Sequence[Tensor], embeddings: Tensor) -> None:
        self._hypernet = hypernet
        with torch.no_grad():
            self._before = hypernet.generate(theta, embeddings)

    def drift(self, theta: Sequence[Tensor], embeddings: Tensor, tasks: Tensor) -> Tensor:
        drift = self._hypernet.generate(theta, embeddings) - self._before[tasks]
        return drift.square().sum() / len(tasks)


class ChannelSnapshot:
    """Keeps the two summands of the weights instead: for the channel-wise hypernetwork, the same numbers.

    What depends on the channel does not depend on the task, so that neither memory nor time grows with the product of
    both, and one convolution is generated about once per step, whatever the number of previous tasks.
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
    """The cheapest snapshot of a hypernetwork; engine plain takes the one that reads like the paper."""
    known: object = hypernet
    if engine != "plain" and type(known) is ChannelwiseHypernet:
        return ChannelSnapshot(known, theta, embeddings)
    return WeightSnapshot(hypernet, theta, embeddings)
