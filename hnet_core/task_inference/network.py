"""Task inference by a network that is trained to tell the tasks apart, on rehearsed inputs of the earlier ones."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from pydantic import Field, PositiveInt
from torch import Tensor

from hnet_core.engines import own_weights_step
from hnet_core.generators.generator import TINY, Generator, GeneratorBlock, adam_training, training_on, unsupported
from hnet_core.methods.protocol import Method
from hnet_core.optimization.batches import batches
from hnet_core.optimization.further_training import FurtherTraining
from hnet_core.optimization.optimizers import Optimizers
from hnet_core.problem import Problem
from hnet_core.registry import GENERATORS
from hnet_core.rehearsal.inputs import SampledPerTask, Steps
from hnet_core.rehearsal.loss import RehearsalLoss
from hnet_core.seeding import generator
from hnet_core.streams import Split, StreamShape
from hnet_core.targets import Target
from hnet_core.targets.mlp import Mlp
from hnet_core.task_inference.protocol import InferenceCounts, TaskOutputs
from hnet_core.trial import ComponentOptions, TrialConfig, WeightCounts
from hnet_core.weights.sources import OwnWeights


class InferenceNetwork:
    """A classifier of tasks with one output for each, trained from the second task on.

    HNET+TIR of von Oswald et al., "Continual learning with hypernetworks" (ICLR 2020), sec. 2.3 and App. B,
    https://arxiv.org/abs/1906.00695: L = (1 - w) * CE(present inputs, present task) + w * CE(samples, their task) over
    the outputs of the tasks seen so far. The samples come from a generator whose decoder's weights a hypernetwork
    protects; it learns each task after the network, except the last. The targets are hard: the task whose embedding
    made the sample.
    """

    name = "network"
    summary = "a network trained on samples of the earlier tasks (HNET+TIR of von Oswald et al. 2020)"
    page = "task_inference_network"
    tested_options: ClassVar[tuple[dict[str, Any], ...]] = ({"generator": {"name": "vae", "encoder": (8,), **TINY}},)

    class Options(ComponentOptions):
        hidden: tuple[PositiveInt, ...] | None = Field(
            None, description="widths of the network's hidden layers; left out: those of a target mlp"
        )
        replay_weight: float = Field(0.5, ge=0, lt=1, description="w, of the samples in the loss")
        iterations: int | None = Field(
            None, ge=1, le=10_000_000, description="gradient steps per task; left out: length of training"
        )
        lr: float | None = Field(None, gt=0, description="learning rate of Adam; left out: that of training")
        generator: GeneratorBlock = Field(
            {"name": "vae", "decoder": (50, 150)},
            validate_default=True,
            description="what samples come from, see docs/methods/generators.md",
        )

    def __init__(self, options: Options, problem: Problem, method: Method) -> None:
        self.options = options
        n_tasks = problem.shape.n_tasks
        self._loss = RehearsalLoss()
        self._problem = dataclasses.replace(
            problem,
            shape=StreamShape(n_tasks, (problem.shape.n_inputs,), outputs_per_task=1),
            target=_network(options, problem.target, problem.shape),
            hypernet=None,
            training=adam_training(problem.training, iterations=options.iterations, lr=options.lr),
            member=None,  # those of stacked seeds are trained one by one
            steps=(),
            optimizers=Optimizers(),
            scenario="class",
        ).with_loss(self._loss, "seen")
        self.source = OwnWeights(self._problem, "task inference")
        self._engine = own_weights_step(self._problem, self.source)
        self.generator: Generator = GENERATORS[options.generator.name](options.generator, problem)

    @staticmethod
    def unsupported(config: TrialConfig, shape: StreamShape, target: Target) -> str | None:
        options: Any = config.task_inference
        if options.hidden is None and type(target) is not Mlp:
            return f"must be given hidden, widths of its layers, where the target is {config.target.name}, not mlp"
        return unsupported(options.generator, config, shape)

    @staticmethod
    def counts(options: Options, shape: StreamShape, target: Target, counts: WeightCounts) -> InferenceCounts:
        network = _network(options, target, shape)
        of_generator = GENERATORS[options.generator.name].counts(options.generator, shape.n_inputs, shape.n_tasks, 1)
        return InferenceCounts(
            weights=network.n_weights,
            memory_bytes=of_generator.memory_bytes,
            multiply_adds=network.multiply_adds(1),
            generator=of_generator.weights,
            generator_hypernet=of_generator.hypernet,
        )

    def training_after(self, task: int, train: Split) -> list[FurtherTraining]:
        """Return the training of the network on the inputs of a task and samples of the earlier ones, and then that of
        the generator."""
        network = [self._training(task, train)] if task > 0 else []
        is_rehearsed = task < self.generator.n_tasks
        return [*network, *([training_on(self.generator, self._problem, task, train)] if is_rehearsed else [])]

    def _training(self, task: int, train: Split) -> FurtherTraining:
        problem = self._problem
        draws = generator(problem.seed, "task inference batches", task)
        return FurtherTraining(
            start=lambda: self._start_task(task),
            indices=batches(problem.training, len(train), draws, problem.device),
            step=lambda index: self._step(train.batch(index, problem.dtype)[0]),
        )

    def _start_task(self, task: int) -> None:
        problem, weight = self._problem, self.options.replay_weight
        samples = SampledPerTask(self.generator, problem, task, problem.training.batch_size)
        rehearsed = torch.full((samples.n_rows, 1), weight / samples.n_rows, dtype=problem.dtype, device=problem.device)
        self._loss.start_task(1, 0, 1 - weight, rehearsed, temperature=1.0)
        self._engine.start_task(task)
        present = torch.full((problem.training.batch_size,), task)
        self._targets = _one_hot(torch.cat([present, samples.tasks]), task, problem)
        self._samples = Steps(samples, list)

    def _step(self, inputs: Tensor) -> None:
        targets = self._targets[self._problem.training.batch_size - len(inputs) :]
        self._engine.step(torch.cat([inputs, next(self._samples)]), targets)

    def end_task(self, task: int, train: Split) -> None:
        """Keep nothing of the examples."""

    def infer(self, outputs: TaskOutputs) -> Tensor:
        scores = self._problem.forward(0, self.source.flat, outputs.inputs)[:, : outputs.n_seen]
        return scores.argmax(dim=1)

    def state(self) -> dict[str, Any]:
        return {
            "network": self.source.state(),
            "optimizers": self._problem.optimizers.state(),
            "generator": self.generator.state(),
        }

    def load_state(self, state: dict[str, Any]) -> None:
        self.source.load_state(state["network"])
        self._problem.optimizers.load_state(state["optimizers"])
        self.generator.load_state(state["generator"])


def _network(options: InferenceNetwork.Options, target: Target, shape: StreamShape) -> Mlp:
    """Return the layers of the network, with an output for every task."""
    known: object = target
    hidden = known.widths[1:-1] if options.hidden is None and isinstance(known, Mlp) else options.hidden
    return Mlp(Mlp.Options(name="mlp", hidden=hidden or ()), (shape.n_inputs,), shape.n_tasks)


def _one_hot(tasks: Tensor, task: int, problem: Problem) -> Tensor:
    """Return certain targets over the tasks up to the present one, (n, 1, task + 1)."""
    return F.one_hot(tasks, task + 1).unsqueeze(1).to(problem.device, problem.dtype)
