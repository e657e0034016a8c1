"""Slow oracle of a training step of a partial hypernetwork: weights are generated for every image of a batch.

The official code of Hemati et al. (2023) passes the task of every image to the hypernetwork and maps the target network
over images and their weights. It computes the loss of the task twice, once to look ahead and once for the full
loss, the second time back through the blocks frozen after the first task too, whose gradients it discards. This step
does the same, as an oracle and as the baseline of perf.partial, without that code's bookkeeping (it copies its modules
and logs an angle in every step).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from hnet_core.methods.frozen_blocks import FrozenBlocks
from hnet_core.methods.partial_hnet import PartialHnet
from hnet_core.targets.target import ForwardMode
from hnet_core.weights.sources import GeneratedWeights


class PerImageStep:
    """Steps on task `task` with first-order look-ahead and the networks of a method prepared for that task."""

    def __init__(self, method: PartialHnet, task: int) -> None:
        self._task, self._lr, self._beta = task, method.problem.training.lr, method.options.beta_output
        self._source: GeneratedWeights = method.source
        self._frozen: FrozenBlocks = method.frozen
        self._target = method.problem.target
        self._before = [part.detach().clone() for part in self._source.theta]
        self._embeddings_before = [embedding.detach().clone() for embedding in self._source.embeddings]
        self._seen = self._source.embeddings[: task + 1]
        self._adam = method.problem.optimizer([*self._source.theta, *self._seen])

    def gradients(self, inputs: Tensor, labels: Tensor) -> list[Tensor]:
        """Return the gradients of the full loss with respect to theta and the embeddings of all tasks so far."""
        theta, hypernet = self._source.theta, self._source.hypernet
        features = self._frozen.features(0, inputs, training=True)  # as in the first task: differentiable
        repeated = self._seen[self._task].expand(len(inputs), -1)
        weights = hypernet.generate(theta, repeated)  # (batch, n_weights), all rows the same
        outputs = torch.func.vmap(self._forward_one)(features, weights)
        loss = F.cross_entropy(outputs, labels)
        first = torch.autograd.grad(loss, theta, retain_graph=True)
        ahead = [part - self._lr * gradient for part, gradient in zip(theta, first, strict=True)]
        drift = loss.new_zeros(())
        for previous in range(self._task):
            now = hypernet.generate(ahead, self._seen[previous].unsqueeze(0))
            with torch.no_grad():
                then = hypernet.generate(self._before, self._embeddings_before[previous].unsqueeze(0))
            drift = drift + (now - then).square().sum() / self._task
        parts = [*theta, *self._seen, *self._frozen.parameters(0)]
        return list(torch.autograd.grad(loss + self._beta * drift, parts))[: len(theta) + len(self._seen)]

    def step(self, inputs: Tensor, labels: Tensor) -> None:
        parts = [*self._source.theta, *self._seen]
        for part, gradient in zip(parts, self.gradients(inputs, labels), strict=True):
            part.grad = gradient
        self._adam.step()

    def _forward_one(self, features: Tensor, weights: Tensor) -> Tensor:
        """Return outputs for one image; batch normalisation over a batch of one image is per instance."""
        mode = ForwardMode(training=True, normalization="batch")
        return self._target.forward(features.unsqueeze(0), weights, mode).squeeze(0)
