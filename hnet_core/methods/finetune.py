"""Fine-tuning: learn one task after the other and protect nothing; what forgetting costs."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from pydantic import Field
from torch import Tensor

from hnet_core.hypernets import Hypernet
from hnet_core.methods.method import Predictor, Problem
from hnet_core.methods.weights import NetworkName, fixed_predictor, shared_counts, weight_source
from hnet_core.targets import Target
from hnet_core.trial import ComponentOptions, WeightCounts


class Finetune:
    """Adam on the loss of the current task, on the target network itself or through a hypernetwork."""

    name = "finetune"
    summary = "one task after the other without protection (lower bound)"
    trains_all_tasks_at_once: ClassVar[bool] = False

    class Options(ComponentOptions):
        network: NetworkName = Field("target", description="train the target's own weights, or a hypernet for them")

    def __init__(self, options: Options, problem: Problem) -> None:
        self.problem = problem
        self.source = weight_source(options.network, problem)

    @staticmethod
    def uses_hypernet(options: Options) -> bool:
        return options.network == "hypernet"

    @staticmethod
    def counts(options: Options, target: Target, hypernet: Hypernet | None, n_tasks: int) -> WeightCounts:
        return shared_counts(options.network, target, hypernet, n_tasks)

    @staticmethod
    def multiply_adds(options: Options, target: Target, hypernet: Hypernet | None, batch_size: int, task: int) -> int:
        generation = 0 if hypernet is None else hypernet.multiply_adds()
        return 3 * (target.multiply_adds(batch_size) + generation)

    def start_task(self, task: int) -> None:
        self._adam = self.problem.adam(self.source.parameters(task))

    def step(self, task: int, inputs: Tensor, labels: Tensor) -> None:
        parameters = self.source.parameters(task)
        loss = self.problem.task_loss(task, self.source.weights(task), inputs, labels)
        for parameter, gradient in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
            parameter.grad = gradient
        self._adam.step()

    def predictor(self, task: int) -> Predictor:
        return fixed_predictor(self.problem, task, self.source)

    def state(self) -> dict[str, Any]:
        return self.source.state()

    def load_state(self, state: dict[str, Any]) -> None:
        self.source.load_state(state)
