"""DGR with distillation: a generator that rehearses its own samples, together with the classifier."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from pydantic import Field, field_validator
from torch import Tensor

from hnet_core.generators.generator import Generator, GeneratorBlock, tells_tasks, unsupported
from hnet_core.hypernets import Hypernet
from hnet_core.methods.base import BaseMethod
from hnet_core.methods.hnet_replay import generator_counts, with_generator
from hnet_core.problem import Problem
from hnet_core.registry import GENERATORS
from hnet_core.rehearsal.classifier import Distillation, RehearsedClassifier
from hnet_core.rehearsal.inputs import SampledTogether
from hnet_core.streams import StreamShape
from hnet_core.targets import Target
from hnet_core.trial import ComponentOptions, TrialConfig, WeightCounts
from hnet_core.weights.sources import shared_counts


class GenerativeReplay(BaseMethod):
    """L = 1/t * L(present) + (1 - 1/t) * L(samples) for the classifier and the generator, both on the same batches.

    Shin et al., "Continual learning with deep generative replay" (NeurIPS 2017), https://arxiv.org/abs/1705.08690, with
    the soft targets of van de Ven and Tolias, "Generative replay with feedback connections" (2018),
    https://arxiv.org/abs/1809.10635, as in their code, whose numbers von Oswald et al. (2020) print: samples and
    targets come from copies of generator and classifier made before task t. The generator is one for all tasks, without
    condition or hypernetwork, and is not trained on the last task.
    """

    name = "generative_replay"
    summary = "rehearsal of samples from a generator that rehearses itself: DGR with distillation (Shin et al. 2017)"
    page = "replay"
    uses_engine = True
    tested_options: ClassVar[tuple[dict[str, Any], ...]] = (
        {"generator": {"name": "vae", "encoder": (8,), "decoder": (6,), "latent": 3}},
    )

    class Options(ComponentOptions):
        temperature: float = Field(2.0, gt=0, description="T of the soft targets")
        generator: GeneratorBlock = Field(
            {"name": "vae", "decoder": (400, 400)},
            validate_default=True,
            description="what samples come from; without condition and hypernetwork, which are off by default here",
        )

        @field_validator("generator", mode="before")
        @classmethod
        def _has_no_tasks(cls, block: object) -> object:
            return {"condition": "none", "hypernet": None, **block} if isinstance(block, dict) else block

    def __init__(self, options: Options, problem: Problem) -> None:
        self.options = options
        self.problem = problem
        self.classifier = RehearsedClassifier(problem, Distillation(options.temperature, "probabilities"))
        self.source = self.classifier.source
        self.generator: Generator = GENERATORS[options.generator.name](options.generator, problem)

    @staticmethod
    def unsupported(config: TrialConfig, shape: StreamShape, target: Target) -> str | None:
        method: Any = config.method
        options = method.generator
        if tells_tasks(options):
            return (
                "has one generator for all tasks: method.generator must have hypernet null and condition none; remove "
                "them, or take method hnet_replay"
            )
        return unsupported(options, config, shape)

    @staticmethod
    def counts(options: Options, target: Target, hypernet: Hypernet | None, n_tasks: int) -> WeightCounts:
        return with_generator(shared_counts("target", target, hypernet, n_tasks), options.generator, target, n_tasks)

    @staticmethod
    def multiply_adds(options: Options, target: Target, hypernet: Hypernet | None, batch_size: int, task: int) -> int:
        rehearsed = batch_size if task else 0
        generator = generator_counts(options.generator, target, task + 2, batch_size + rehearsed)
        classifier = 3 * target.multiply_adds(batch_size + rehearsed) + target.multiply_adds(rehearsed)
        return classifier + generator.step + rehearsed * generator.sample

    def start_task(self, task: int) -> None:
        problem, present_share, inputs = self.problem, 1.0, None
        if task:
            present_share = 1 / (task + 1)
            sampler = self.generator.sampler(task - 1)
            inputs = SampledTogether(sampler, problem, task, problem.training.batch_size)
        self.classifier.start_task(task, present_share, inputs)
        self._present_share, self._row_weights = present_share, dict[int, Tensor]()
        if task < self.generator.n_tasks:
            self.generator.start_task(task)

    def step(self, task: int, inputs: Tensor, labels: Tensor) -> None:
        self.classifier.step(inputs, labels)
        if task == self.generator.n_tasks:
            return
        rehearsed = self.classifier.rehearsed
        if rehearsed is None:
            self.generator.step(inputs)
        else:
            self.generator.step(torch.cat([inputs, rehearsed]), self._weights(inputs, len(rehearsed)))

    def _weights(self, inputs: Tensor, n_rehearsed: int) -> Tensor:
        """Return the weight of each present and rehearsed input in the generator's loss, (n, 1)."""
        n, share = len(inputs), self._present_share
        if n not in self._row_weights:
            present, rehearsed = inputs.new_full((n, 1), share / n), inputs.new_ones(n_rehearsed, 1)
            self._row_weights[n] = torch.cat([present, rehearsed * (1 - share) / n_rehearsed])
        return self._row_weights[n]

    def state(self) -> dict[str, Any]:
        return {"classifier": self.source.state(), "generator": self.generator.state()}

    def load_state(self, state: dict[str, Any]) -> None:
        self.source.load_state(state["classifier"])
        self.generator.load_state(state["generator"])
