"""The encoder of a variational autoencoder, with the gradient of its divergence, for both engines."""

from __future__ import annotations

import dataclasses
from typing import Protocol

import torch
from torch import Tensor

from hnet_core.engines.kernels.adam import FlatAdam, MomentsOfSeed
from hnet_core.engines.kernels.mlp_gradient import MlpGradient
from hnet_core.engines.step_protocols import picked
from hnet_core.optimization.optimizers import why_no_flat_adam
from hnet_core.problem import Problem
from hnet_core.streams import StreamShape
from hnet_core.targets.mlp import Mlp
from hnet_core.weights.sources import OwnWeights


class Encoder(Protocol):
    """A network from inputs to mean and logarithmic variance of a normal distribution of the latent numbers z.

    Attributes:
        source: its weights.
    """

    source: OwnWeights

    def start_task(self, task: int) -> None:
        """Prepare for a task: take its optimiser."""

    def forward(self, inputs: Tensor, noise: Tensor, factor: Tensor | float) -> Tensor:
        """Return z = mean + noise * exp(log_variance / 2), (n, latent).

        Args:
            inputs: (n, n_inputs).
            noise: standard normal, (n, latent).
            factor: of the divergence of each input in the loss, (n, 1).
        """

    def backward(self, gradient: Tensor) -> None:
        """Make a gradient step after `forward`, from the gradient of the reconstruction with respect to z.

        Adds that of sum_r factor_r * KL(N(mean_r, exp(log_variance_r)) || N(0, I)).
        """


def encoder(problem: Problem, network: Mlp, latent: int) -> Encoder:
    """Return the encoder for the engine that the trial names.

    Args:
        problem: of the generator: training options, optimisers, seed.
        network: with 2 * latent outputs.
    """
    shape = StreamShape(problem.shape.n_tasks, network.widths[:1], 2 * latent, shared_head=True)
    own = dataclasses.replace(problem, shape=shape, target=network, hypernet=None, loss=None, inputs_gradient=False)
    is_plain = picked(problem.training.engine, why_no_flat_adam(problem.training, keeps=True)) == "plain"
    return PlainEncoder(own, network) if is_plain else FastEncoder(own, network)


class PlainEncoder:
    """Automatic differentiation and an optimiser of torch."""

    def __init__(self, problem: Problem, network: Mlp) -> None:
        self._problem, self._network = problem, network
        self.source = OwnWeights(problem, "encoder")

    def start_task(self, task: int) -> None:
        self._optimizer = self._problem.optimizer(self.source.parameters(task))

    def forward(self, inputs: Tensor, noise: Tensor, factor: Tensor | float) -> Tensor:
        mean, log_variance = self._network.forward(inputs, self.source.flat).chunk(2, dim=1)
        self._z = mean + noise * (log_variance / 2).exp()
        per_number = mean.square() + log_variance.exp() - 1 - log_variance
        self._divergence = (factor * per_number).sum() / 2  # Kingma and Welling (2014), App. B
        return self._z.detach()

    def backward(self, gradient: Tensor) -> None:
        flat = self.source.flat
        outputs, gradients = [self._z, self._divergence], [gradient, torch.ones_like(self._divergence)]
        (flat.grad,) = torch.autograd.grad(outputs, [flat], gradients)
        self._optimizer.step()


class FastEncoder:
    """PlainEncoder with the gradient by hand and fused Adam, equal up to rounding."""

    def __init__(self, problem: Problem, network: Mlp) -> None:
        self._problem = problem
        self.source = OwnWeights(problem, "encoder")
        self._weights = self.source.flat.detach()
        self._gradient = torch.zeros_like(self._weights)
        self._network = MlpGradient(network, problem.training_heads, self._weights, self._gradient)
        self._adam, self._keeps = self._new_adam(), False

    def start_task(self, task: int) -> None:
        if self._problem.training.reset_optimizer:
            self._adam = self._new_adam()
        elif not self._keeps:
            self._keeps = True
            self._problem.optimizers.keep(MomentsOfSeed(self._adam, 0))
        self._network.start_task(task)

    def _new_adam(self) -> FlatAdam:
        return FlatAdam(self._problem.training, [self._weights], [self._gradient])

    def forward(self, inputs: Tensor, noise: Tensor, factor: Tensor | float) -> Tensor:
        with torch.no_grad():
            self._mean, self._log_variance = self._network.forward(inputs).chunk(2, dim=1)
            self._factor = factor
            self._deviation = torch.exp(self._log_variance / 2).mul_(noise)
            return self._mean + self._deviation

    def backward(self, gradient: Tensor) -> None:
        with torch.no_grad():
            of_mean, of_log_variance = self._network.outputs_gradient.chunk(2, dim=1)
            torch.add(gradient, self._mean * self._factor, out=of_mean)
            torch.mul(gradient, self._deviation, out=of_log_variance)
            of_log_variance.add_(torch.expm1(self._log_variance).mul_(self._factor)).mul_(0.5)
            self._network.backward()
            self._adam.begin_step()
            self._adam.step()
