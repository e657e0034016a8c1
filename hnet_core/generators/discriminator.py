"""The discriminator of a generative adversarial network."""

from __future__ import annotations

import dataclasses

import torch
import torch.nn.functional as F
from torch import Tensor

from hnet_core.problem import Problem
from hnet_core.seeding import generator
from hnet_core.targets.mlp import Mlp
from hnet_core.targets.target import cut
from hnet_core.weights.sources import OwnWeights


class Discriminator:
    """A fully connected network from an input in [-1, 1] to one number, 1 for real inputs and -1 for samples.

    By automatic differentiation with both engines.

    Attributes:
        source: its weights.
    """

    def __init__(self, problem: Problem, network: Mlp, dropout: float) -> None:
        self._problem = dataclasses.replace(problem, target=network, hypernet=None, loss=None)
        self._network, self._dropout = network, dropout
        self.source = OwnWeights(self._problem, "discriminator")

    def start_task(self, task: int) -> None:
        self._draws = generator(self._problem.seed, "discriminator dropout", task)
        self._optimizer = self._problem.optimizer(self.source.parameters(task))

    def outputs(self, inputs: Tensor) -> Tensor:
        """Return D(inputs), (n, 1), with dropout as in training."""
        *hidden, weight, bias = cut(self.source.flat, self._network.shapes)
        x = inputs
        for of_layer, bias_of_layer in zip(hidden[::2], hidden[1::2], strict=True):
            x = self._drop_out(torch.relu(F.linear(x, of_layer, bias_of_layer)))
        return F.linear(x, weight, bias)

    def step(self, real: Tensor, fake: Tensor, row_weights: Tensor | None) -> None:
        """Make a gradient step on 1/2 mean (D(real) - 1)^2 + 1/2 mean (D(fake) + 1)^2."""
        squares = (self.outputs(real) - 1).square() + (self.outputs(fake) + 1).square()
        loss = (squares.mean() if row_weights is None else (row_weights * squares).sum()) / 2
        flat = self.source.flat
        (flat.grad,) = torch.autograd.grad(loss, [flat])
        self._optimizer.step()

    def _drop_out(self, x: Tensor) -> Tensor:
        if not self._dropout:
            return x
        kept = torch.rand(x.shape, generator=self._draws).to(x) >= self._dropout
        return x * kept / (1 - self._dropout)
