"""Training from scratch: a network of its own for every task; no transfer, no forgetting, no compression."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

from torch import Tensor

from hnet_core.engines import own_weights_step
from hnet_core.hypernets import Hypernet
from hnet_core.methods.base import BaseMethod
from hnet_core.problem import Predictor, Problem
from hnet_core.targets import Target
from hnet_core.trial import ComponentOptions, WeightCounts
from hnet_core.weights.sources import OwnWeights, fixed_predictor


class Scratch(BaseMethod):
    """One freshly initialised target network per task, all of them kept: compression ratio n_tasks.

    Differs: the official code of von Oswald et al. (2020) overwrites the network, so that its final accuracies are
    meaningless; here they equal the accuracies right after each task.
    """

    name = "scratch"
    summary = "a new target network for every task, all kept (no transfer, no forgetting)"
    page = "baselines"
    uses_engine = True
    separate_networks: ClassVar[bool] = True

    class Options(ComponentOptions):
        pass

    def __init__(self, options: Options, problem: Problem) -> None:
        self.problem = problem
        self.sources = [OwnWeights(problem, task) for task in range(problem.shape.n_tasks)]

    @classmethod
    def network_per_task(cls, options: Any) -> bool:
        return True

    @classmethod
    def keeps_networks(cls, options: Any) -> bool:
        return True

    @staticmethod
    def counts(options: Options, target: Target, hypernet: Hypernet | None, n_tasks: int) -> WeightCounts:
        one, every = target.n_weights, n_tasks * target.n_weights
        inference = target.multiply_adds(1)
        return WeightCounts(one, every, hypernet=0, per_task=one, trained=every, inference=inference, generation=0)

    def start_task(self, task: int) -> None:
        training = self.problem.training.model_copy(update={"reset_optimizer": True})  # it is another network
        self._engine = own_weights_step(dataclasses.replace(self.problem, training=training), self.sources[task])
        self._engine.start_task(task)

    def step(self, task: int, inputs: Tensor, labels: Tensor) -> None:
        self._engine.step(inputs, labels)

    def predictor(self, task: int) -> Predictor:
        return fixed_predictor(self.problem, task, self.sources[task])

    def weights(self, task: int) -> Tensor:
        return self.sources[task].weights(task)

    def task_embeddings(self) -> None:
        return None

    def state(self) -> dict[str, Any]:
        return {"networks": [source.state() for source in self.sources]}

    def load_state(self, state: dict[str, Any]) -> None:
        for source, saved in zip(self.sources, state["networks"], strict=True):
            source.load_state(saved)
