"""Fine-tuning: one task after the other without protection, the baseline that shows forgetting."""

from __future__ import annotations

import functools
from typing import Any, ClassVar

from pydantic import Field
from torch import Tensor

from hnet_core.engines import HypernetStep, OwnWeightsStep, hypernet_step, own_weights_step
from hnet_core.hypernets import Hypernet
from hnet_core.methods.base import BaseMethod
from hnet_core.problem import Problem
from hnet_core.targets import Target
from hnet_core.trial import ComponentOptions, WeightCounts
from hnet_core.weights.sources import GeneratedWeights, NetworkName, OwnWeights, shared_counts


class Finetune(BaseMethod):
    """Adam on the loss of the current task, on the target network itself or through a hypernetwork."""

    name = "finetune"
    aliases = ("naive",)  # Hemati et al. (2023)
    summary = "one task after the other without protection (lower bound)"
    page = "baselines"
    uses_engine = True
    tested_options: ClassVar[tuple[dict[str, Any], ...]] = ({}, {"network": "hypernet"})

    class Options(ComponentOptions):
        network: NetworkName = Field("target", description="train the target's own weights, or a hypernet for them")

    def __init__(self, options: Options, problem: Problem) -> None:
        self.problem = problem
        self.source: GeneratedWeights | OwnWeights = (
            GeneratedWeights(problem) if options.network == "hypernet" else OwnWeights(problem)
        )

    @staticmethod
    def uses_hypernet(options: Options) -> bool:
        return options.network == "hypernet"

    @classmethod
    def keeps_networks(cls, options: Any) -> bool:
        return False

    @staticmethod
    def counts(options: Options, target: Target, hypernet: Hypernet | None, n_tasks: int) -> WeightCounts:
        return shared_counts(options.network, target, hypernet, n_tasks)

    @staticmethod
    def multiply_adds(options: Options, target: Target, hypernet: Hypernet | None, batch_size: int, task: int) -> int:
        generation = 0 if hypernet is None else hypernet.multiply_adds()
        return 3 * (target.multiply_adds(batch_size) + generation)

    def start_task(self, task: int) -> None:
        self._engine.start_task(task)

    def step(self, task: int, inputs: Tensor, labels: Tensor) -> None:
        self._engine.step(inputs, labels)

    @functools.cached_property
    def _engine(self) -> HypernetStep | OwnWeightsStep:
        """The engine, built on first use: joint training, which mixes tasks, has none."""
        if isinstance(self.source, GeneratedWeights):
            return hypernet_step(self.problem, self.source)
        return own_weights_step(self.problem, self.source)
