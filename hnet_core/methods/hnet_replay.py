"""HNET+R: a classifier that rehearses samples of a generator whose weights a hypernetwork protects."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

from pydantic import Field
from torch import Tensor

from hnet_core.generators.generator import TINY, Generator, GeneratorBlock, GeneratorCounts, training_on, unsupported
from hnet_core.hypernets import Hypernet
from hnet_core.methods.base import BaseMethod
from hnet_core.optimization.further_training import FurtherTraining
from hnet_core.problem import Problem
from hnet_core.registry import GENERATORS
from hnet_core.rehearsal.classifier import Distillation, RehearsedClassifier
from hnet_core.rehearsal.inputs import SampledPerTask
from hnet_core.streams import Split, StreamShape
from hnet_core.targets import Target
from hnet_core.targets.target import numel
from hnet_core.trial import ComponentOptions, TrialConfig, WeightCounts
from hnet_core.weights.sources import shared_counts


class HnetReplay(BaseMethod):
    """L = (1 - w) * CE(present) + w * T^2 CE(old soft targets) on samples of every earlier task.

    HNET+R of "Continual learning with hypernetworks" (ICLR 2020, https://arxiv.org/abs/1906.00695), sec. 2.3 and
    App. B: the classifier is a plain network; after each task a generator learns its inputs, its decoder's weights from
    a hypernetwork under the output regulariser. No generator is trained on the last task.
    """

    name = "hnet_replay"
    summary = "rehearsal of samples from a generator that a hypernetwork protects: HNET+R (von Oswald et al. 2020)"
    page = "replay"
    uses_engine = True
    tested_options: ClassVar[tuple[dict[str, Any], ...]] = (
        {"generator": {"name": "vae", "encoder": (8,), **TINY}},
        {"generator": {"name": "gan", "discriminator": (8,), **TINY, "condition": "normal"}},
    )

    class Options(ComponentOptions):
        replay_weight: float = Field(
            0.5, ge=0, lt=1, description="w, of the rehearsed samples in the loss, from the second task on"
        )
        temperature: float = Field(2.0, gt=0, description="T of the soft targets")
        generator: GeneratorBlock = Field(
            {"name": "vae"},
            validate_default=True,
            description="what samples come from, see docs/methods/generators.md",
        )

    def __init__(self, options: Options, problem: Problem) -> None:
        self.options = options
        self.problem = problem
        self.classifier = RehearsedClassifier(problem, Distillation(options.temperature, "logits"))
        self.source = self.classifier.source
        self.generator: Generator = GENERATORS[options.generator.name](options.generator, problem)

    @staticmethod
    def unsupported(config: TrialConfig, shape: StreamShape, target: Target) -> str | None:
        options: Any = config.method
        return unsupported(options.generator, config, shape)

    @staticmethod
    def counts(options: Options, target: Target, hypernet: Hypernet | None, n_tasks: int) -> WeightCounts:
        return with_generator(shared_counts("target", target, hypernet, n_tasks), options.generator, target, n_tasks)

    @staticmethod
    def multiply_adds(options: Options, target: Target, hypernet: Hypernet | None, batch_size: int, task: int) -> int:
        if task == 0:
            return 3 * target.multiply_adds(batch_size)
        rehearsed = task * -(-batch_size // task)
        samples = rehearsed * generator_counts(options.generator, target, task + 1).sample
        return 3 * target.multiply_adds(batch_size + rehearsed) + target.multiply_adds(rehearsed) + samples

    def start_task(self, task: int) -> None:
        inputs = SampledPerTask(self.generator, self.problem, task, self.problem.training.batch_size) if task else None
        self.classifier.start_task(task, 1 - self.options.replay_weight if task else 1.0, inputs)

    def step(self, task: int, inputs: Tensor, labels: Tensor) -> None:
        self.classifier.step(inputs, labels)

    def training_after(self, task: int, train: Split) -> list[FurtherTraining]:
        if task == self.generator.n_tasks:
            return []
        return [training_on(self.generator, self.problem, task, train)]

    def state(self) -> dict[str, Any]:
        return {"classifier": self.source.state(), "generator": self.generator.state()}

    def load_state(self, state: dict[str, Any]) -> None:
        self.source.load_state(state["classifier"])
        self.generator.load_state(state["generator"])


def generator_counts(options: Any, target: Target, n_tasks: int, batch_size: int = 1) -> GeneratorCounts:
    """Count the weights of the generator that a method rehearses from.

    Args:
        options: of the generator.
        target: a network that reads the same inputs.
    """
    found: GeneratorCounts = GENERATORS[options.name].counts(options, numel(target.input_shape), n_tasks, batch_size)
    return found


def with_generator(counts: WeightCounts, options: Any, target: Target, n_tasks: int) -> WeightCounts:
    """Return the counts of a classifier with those of a generator that is only needed to learn further tasks."""
    found = generator_counts(options, target, n_tasks)
    return dataclasses.replace(
        counts, generator=found.weights, generator_hypernet=found.hypernet, memory_bytes=found.memory_bytes
    )
