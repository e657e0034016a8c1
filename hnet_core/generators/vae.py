"""The variational autoencoder whose decoder weights a hypernetwork generates (von Oswald et al. 2020)."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from pydantic import Field, PositiveInt
from torch import Tensor

from hnet_core.generators.decoder import Decoder, decoder_counts, mlp
from hnet_core.generators.encoder import Encoder, encoder
from hnet_core.generators.generator import GeneratorCounts, GeneratorOptions, Sampler
from hnet_core.problem import Problem
from hnet_core.seeding import generator


class Vae:
    """L = mean over pixels of the binary cross-entropy + KL(q(z | x) || N(0, I)) / n_inputs, averaged over inputs.

    Kingma and Welling, "Auto-encoding variational Bayes" (ICLR 2014), https://arxiv.org/abs/1312.6114, scaled as in
    the codes of van de Ven and Tolias (2018) and of von Oswald et al. (2020). One encoder, unprotected, serves all
    tasks; the decoder reads z beside the condition of the task.
    """

    name = "vae"
    summary = "variational autoencoder, its decoder's weights from a hypernetwork or its own"
    page = "generators"
    tested_options: ClassVar[tuple[dict[str, Any], ...]] = (
        {},
        {"condition": "normal", "beta_output": 0.0},
        {"hypernet": None, "condition": "none"},
    )

    class Options(GeneratorOptions):
        encoder: tuple[PositiveInt, ...] = Field((400, 400), description="widths of the encoder's hidden layers")

    def __init__(self, options: Options, problem: Problem) -> None:
        self.options = options
        self._loss = ReconstructionLoss()
        self.decoder = Decoder(options, problem, self._loss, inputs_gradient=True)
        self.n_tasks = self.decoder.n_tasks
        self.problem = self.decoder.problem
        self._n_inputs = problem.shape.n_inputs
        self.encoder: Encoder = encoder(self.problem, encoder_network(options, self._n_inputs), options.latent)

    @staticmethod
    def counts(options: Options, n_inputs: int, n_tasks: int, batch_size: int) -> GeneratorCounts:
        return decoder_counts(options, n_inputs, n_tasks, batch_size, encoder_network(options, n_inputs))

    def start_task(self, task: int) -> None:
        self._draws = generator(self.problem.seed, "generator noise", task)
        self.decoder.start_task(task)
        self.encoder.start_task(task)

    def step(self, inputs: Tensor, row_weights: Tensor | None = None) -> None:
        self._loss.row_weights = row_weights
        factor = (1 / len(inputs) if row_weights is None else row_weights) / self._n_inputs
        noise = self.decoder.noise(len(inputs), self._draws)
        z = self.encoder.forward(inputs, noise, factor)
        self.decoder.step(z, inputs)
        self.encoder.backward(self.decoder.noise_gradient)

    def sampler(self, task: int) -> Sampler:
        weights = self.decoder.weights(task)

        def sample(n: int, draws: torch.Generator) -> Tensor:
            with torch.no_grad():
                return self.decoder.outputs(task, weights, self.decoder.noise(n, draws)).sigmoid_()

        return sample

    def state(self) -> dict[str, Any]:
        return {"decoder": self.decoder.state(), "encoder": self.encoder.source.state()}

    def load_state(self, state: dict[str, Any]) -> None:
        self.decoder.load_state(state["decoder"])
        self.encoder.source.load_state(state["encoder"])


class ReconstructionLoss:
    """Binary cross-entropy of pixels in [0, 1], mean over the pixels of an input, weighted over inputs.

    Attributes:
        row_weights: of the inputs, (n, 1), the same tensor for each batch of a size; None for 1 / n.
    """

    recordable = True

    def __init__(self) -> None:
        self.row_weights: Tensor | None = None

    def value(self, outputs: Tensor, targets: Tensor) -> Tensor:
        of_pixels = F.binary_cross_entropy_with_logits(outputs, targets, reduction="none")
        if self.row_weights is None:
            return of_pixels.mean()
        return (self.row_weights * of_pixels).sum() / outputs.shape[1]

    def gradient(self, outputs: Tensor, targets: Tensor, out: Tensor) -> None:
        torch.sigmoid(outputs, out=out)
        out.sub_(targets)
        out.mul_((1 / len(outputs) if self.row_weights is None else self.row_weights) / outputs.shape[1])


def encoder_network(options: Vae.Options, n_inputs: int) -> Any:
    """Return the layers of the encoder, its outputs mean and logarithmic variance of each latent number."""
    return mlp(options, n_inputs, options.encoder, 2 * options.latent)
