"""The generative adversarial network whose generator's weights a hypernetwork generates (von Oswald et al. 2020)."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from pydantic import Field, PositiveInt
from torch import Tensor

from hnet_core.generators.decoder import Decoder, decoder_counts, mlp
from hnet_core.generators.discriminator import Discriminator
from hnet_core.generators.generator import GeneratorCounts, GeneratorOptions, Sampler
from hnet_core.optimization.output_loss import automatic_gradient
from hnet_core.problem import Problem
from hnet_core.seeding import generator
from hnet_core.targets.mlp import Mlp


class Gan:
    """Least squares of the discriminator D towards 1 for real and -1 for sampled inputs, of the generator towards 0.

    The Pearson chi^2 form of Mao et al., "Least squares generative adversarial networks" (ICCV 2017), eq. 8,
    https://arxiv.org/abs/1611.04076, as in App. C of von Oswald et al. (2020). The decoder ends in tanh and reads noise
    beside the condition of the task; one discriminator, unprotected, serves all tasks. Each step trains first the
    discriminator, then the decoder, on new samples.

    Differs: samples are mapped from [-1, 1] to [0, 1], so that a classifier can be trained on them beside real images;
    the official code mixes the two ranges.
    """

    name = "gan"
    summary = "adversarial network (Pearson chi^2), its generator's weights from a hypernetwork or its own"
    page = "generators"
    tested_options: ClassVar[tuple[dict[str, Any], ...]] = ({}, {"hypernet": None, "condition": "none"})

    class Options(GeneratorOptions):
        discriminator: tuple[PositiveInt, ...] = Field(
            (400, 400), description="widths of the discriminator's hidden layers"
        )
        dropout: float = Field(0.4, ge=0, lt=1, description="of the discriminator's hidden layers")

    def __init__(self, options: Options, problem: Problem) -> None:
        self.options = options
        self._loss = AdversarialLoss()
        self.decoder = Decoder(options, problem, self._loss)
        self.n_tasks = self.decoder.n_tasks
        self.problem = self.decoder.problem
        network = discriminator_network(options, problem.shape.n_inputs)
        self.discriminator = self._loss.discriminator = Discriminator(self.problem, network, options.dropout)

    @staticmethod
    def counts(options: Options, n_inputs: int, n_tasks: int, batch_size: int) -> GeneratorCounts:
        return decoder_counts(options, n_inputs, n_tasks, batch_size, discriminator_network(options, n_inputs))

    def start_task(self, task: int) -> None:
        self._task = task
        self._draws = generator(self.problem.seed, "generator noise", task)
        self.decoder.start_task(task)
        self.discriminator.start_task(task)

    def step(self, inputs: Tensor, row_weights: Tensor | None = None) -> None:
        noise = self.decoder.noise(len(inputs), self._draws)
        with torch.no_grad():
            fake = torch.tanh(self.decoder.outputs(self._task, self.decoder.weights(self._task), noise))
        self.discriminator.step(2 * inputs - 1, fake, row_weights)
        self._loss.row_weights = row_weights
        self.decoder.step(self.decoder.noise(len(inputs), self._draws), inputs)

    def sampler(self, task: int) -> Sampler:
        weights = self.decoder.weights(task)

        def sample(n: int, draws: torch.Generator) -> Tensor:
            with torch.no_grad():
                outputs = self.decoder.outputs(task, weights, self.decoder.noise(n, draws))
            return outputs.tanh_().add_(1).div_(2)

        return sample

    def state(self) -> dict[str, Any]:
        return {"decoder": self.decoder.state(), "discriminator": self.discriminator.source.state()}

    def load_state(self, state: dict[str, Any]) -> None:
        self.decoder.load_state(state["decoder"])
        self.discriminator.source.load_state(state["discriminator"])


class AdversarialLoss:
    """1/2 mean of D(tanh(outputs))^2, eq. 8 of Mao et al.; the targets are not read.

    Attributes:
        discriminator: D, held constant.
        row_weights: of the samples, (n, 1); None for 1 / n.
    """

    recordable = False  # D draws its dropout on the host
    discriminator: Discriminator

    def __init__(self) -> None:
        self.row_weights: Tensor | None = None

    def value(self, outputs: Tensor, targets: Tensor) -> Tensor:
        squares = self.discriminator.outputs(torch.tanh(outputs)).square()
        return (squares.mean() if self.row_weights is None else (self.row_weights * squares).sum()) / 2

    def gradient(self, outputs: Tensor, targets: Tensor, out: Tensor) -> None:
        automatic_gradient(self, outputs, targets, out)


def discriminator_network(options: Gan.Options, n_inputs: int) -> Mlp:
    """Return the layers of the discriminator, with one output."""
    return mlp(options, n_inputs, options.discriminator, 1)
