"""The decoder of a generator: from noise and the condition of a task to inputs, with generated or own weights."""

from __future__ import annotations

import dataclasses
from typing import Any

import torch
from torch import Tensor

from hnet_core.engines import HypernetStep, OwnWeightsStep, Protection, hypernet_step, own_weights_step
from hnet_core.generators.generator import GeneratorCounts, GeneratorOptions, generator_training
from hnet_core.hypernets import Hypernet
from hnet_core.optimization.optimizers import Optimizers
from hnet_core.optimization.output_loss import OutputLoss
from hnet_core.problem import Problem
from hnet_core.registry import HYPERNETS
from hnet_core.seeding import generator
from hnet_core.streams import StreamShape
from hnet_core.targets.mlp import Mlp
from hnet_core.weights.sources import GeneratedWeights, OwnWeights


class Decoder:
    """A fully connected network that is trained through the engines of the trial, like a target network.

    Its weights come from a hypernetwork under the output regulariser of method hnet (von Oswald et al. 2020, sec. 2.3
    and App. C), or are its own.

    Args:
        problem: of the trial.
        loss: of its outputs, one number for each input before the last non-linearity.
        inputs_gradient: also compute the gradient with respect to noise and condition.

    Attributes:
        problem: of the decoder: its shape, networks and training options.
        network: the layers.
        n_tasks: all of the stream but the last.
    """

    def __init__(
        self, options: GeneratorOptions, problem: Problem, loss: OutputLoss, *, inputs_gradient: bool = False
    ) -> None:
        self.options = options
        self.n_tasks = problem.shape.n_tasks - 1
        self.network = decoder_network(options, problem.shape.n_inputs)
        self.problem = dataclasses.replace(
            problem,
            shape=StreamShape(self.n_tasks, self.network.widths[:1], self.network.widths[-1], shared_head=True),
            target=self.network,
            hypernet=decoder_hypernet(options, self.network),
            training=generator_training(options, problem.training),
            member=None,  # the generators of stacked seeds are trained one by one
            steps=(),
            optimizers=Optimizers(),
            scenario="task",
            trained_classes="own_head",
            loss=loss,
            inputs_gradient=inputs_gradient,
        )
        self._conditions = _conditions(options, self.problem)
        self.source: GeneratedWeights | OwnWeights
        self._engine: HypernetStep | OwnWeightsStep
        if self.problem.hypernet is None:
            self.source = OwnWeights(self.problem, "generator")
            self._engine = own_weights_step(self.problem, self.source)
        else:
            self.source = GeneratedWeights(self.problem, "generator")
            self._engine = hypernet_step(self.problem, self.source)

    def start_task(self, task: int) -> None:
        self._task = task
        if self.problem.hypernet is None or task == 0 or not self.options.beta_output:
            self._engine.start_task(task)
        else:
            self._engine.start_task(task, Protection(self.options.beta_output))  # type: ignore[call-arg]

    def step(self, noise: Tensor, targets: Tensor) -> None:
        """Make one gradient step.

        Args:
            noise: (n, latent).
            targets: of the loss.
        """
        self._engine.step(self.inputs(self._task, noise), targets)

    @property
    def noise_gradient(self) -> Tensor:
        """Gradient of the last step with respect to the noise, (n, latent)."""
        return self._engine.inputs_gradient[:, : self.options.latent]

    def weights(self, task: int) -> Tensor:
        """Return a copy of the present weights for a task, (n_weights,)."""
        with torch.no_grad():
            weights = self.source.weights(task)
        return weights.detach().clone() if self.problem.hypernet is None else weights

    def inputs(self, task: int, noise: Tensor) -> Tensor:
        """Return noise and the condition of a task side by side, (n, latent + condition_size)."""
        condition = self._conditions[task].expand(len(noise), -1)
        return torch.cat([noise, condition], dim=1)

    def outputs(self, task: int, weights: Tensor, noise: Tensor) -> Tensor:
        """Return the outputs before the last non-linearity, (n, n_inputs of the stream)."""
        return self.network.forward(self.inputs(task, noise), weights)

    def noise(self, n: int, draws: torch.Generator) -> Tensor:
        """Draw standard normal noise, (n, latent)."""
        drawn = torch.randn(n, self.options.latent, generator=draws)
        return drawn.to(self.problem.device, self.problem.dtype)

    def state(self) -> dict[str, Any]:
        return {"weights": self.source.state(), "optimizers": self.problem.optimizers.state()}

    def load_state(self, state: dict[str, Any]) -> None:
        self.source.load_state(state["weights"])
        self.problem.optimizers.load_state(state["optimizers"])


def decoder_network(options: GeneratorOptions, n_inputs: int) -> Mlp:
    """Return the layers of a decoder of inputs of this length."""
    n_read = options.latent + (0 if options.condition == "none" else options.condition_size)
    return mlp(options, n_read, options.decoder, n_inputs)


def mlp(options: GeneratorOptions, n_inputs: int, hidden: tuple[int, ...], n_outputs: int) -> Mlp:
    """Return a fully connected network with ReLU, as all networks of the generators are."""
    of_layers = Mlp.Options(name="mlp", hidden=hidden, initialization=options.initialization)
    return Mlp(of_layers, (n_inputs,), n_outputs)


def decoder_hypernet(options: GeneratorOptions, network: Mlp) -> Hypernet | None:
    """Return the hypernetwork of a decoder, None where it has weights of its own."""
    if options.hypernet is None:
        return None
    found: Hypernet = HYPERNETS[options.hypernet.name](options.hypernet, network.shapes, network.kinds)
    return found


def decoder_counts(
    options: GeneratorOptions, n_inputs: int, n_tasks: int, batch_size: int, other: Mlp
) -> GeneratorCounts:
    """Count the weights of a decoder and of the network it is trained with.

    Args:
        n_tasks: of the stream; the generator learns one less.
        other: encoder or discriminator.
    """
    network = decoder_network(options, n_inputs)
    hypernet = decoder_hypernet(options, network)
    batch = options.batch_size or batch_size
    generation = 0 if hypernet is None else hypernet.multiply_adds()
    of_hypernet = 0 if hypernet is None else hypernet.n_weights + (n_tasks - 1) * hypernet.embedding_size
    return GeneratorCounts(
        weights=network.n_weights,
        hypernet=of_hypernet,
        kept=(of_hypernet or network.n_weights) + other.n_weights,
        step=3 * (network.multiply_adds(batch) + other.multiply_adds(batch) + generation),
        sample=network.multiply_adds(1),
        generation=generation,
    )


def _conditions(options: GeneratorOptions, problem: Problem) -> Tensor:
    """Return the fixed condition of every task, (n_tasks, condition_size); without columns where there is none."""
    n_tasks, size = problem.shape.n_tasks, options.condition_size
    if options.condition == "none":
        conditions = torch.zeros(n_tasks, 0)
    elif options.condition == "one_hot":
        conditions = torch.eye(n_tasks, size)
    else:
        conditions = torch.randn(n_tasks, size, generator=generator(problem.seed, "generator conditions"))
    return conditions.to(problem.device, problem.dtype)
