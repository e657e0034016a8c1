"""Synaptic intelligence: a quadratic penalty on changes of weights along whose path earlier losses fell."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

import torch
from pydantic import Field
from torch import Tensor

from hnet_core.engines import own_weights_step
from hnet_core.hypernets import Hypernet
from hnet_core.methods.base import BaseMethod
from hnet_core.problem import Problem
from hnet_core.regularizers.quadratic import QuadraticPenalty
from hnet_core.streams import Split
from hnet_core.targets import Target
from hnet_core.trial import BYTES_PER_WEIGHT, ComponentOptions, WeightCounts
from hnet_core.weights.sources import OwnWeights, copies, shared_counts


class Si(BaseMethod):
    """L = L_task(W) + c * sum_i Omega_i (W_i - W*_i)^2, W* the weights after the last task.

    Zenke, Poole and Ganguli, "Continual learning through synaptic intelligence" (ICML 2017),
    https://arxiv.org/abs/1703.04200, eq. 4 and 5. In every step omega_i grows by -g_i dW_i, with g the gradient and dW
    the change of the weights by the step; after a task Omega_i grows by omega_i / ((change of W_i in the task)^2 + xi).

    Differs: g is the gradient of the entire loss, with the penalty of the task itself, and Omega may be negative: both
    as in the code of van de Ven and Tolias (2019), whose numbers von Oswald et al. (2020) print.
    """

    name = "si"
    summary = "synaptic intelligence on the target's own weights (Zenke et al. 2017)"
    page = "si"
    uses_engine = True
    tested_options: ClassVar[tuple[dict[str, Any], ...]] = ({}, {"clamp": True, "damping": 0.001})
    source: OwnWeights

    class Options(ComponentOptions):
        coefficient: float = Field(
            0.1,
            ge=0,
            description="c, strength of the penalty",
            json_schema_extra={"search": {"float": [0.001, 10000.0], "log": True}},
        )
        damping: float = Field(0.1, gt=0, description="xi, in the denominator of the importance")
        clamp: bool = Field(False, description="no negative importance of a task (hypnettorch, with damping 0.001)")

    def __init__(self, options: Options, problem: Problem) -> None:
        self.options = options
        self.problem = problem
        self.source = OwnWeights(problem)
        self._path = PathIntegral(QuadraticPenalty(self.source.flat, strength=2 * options.coefficient))
        self._engine = own_weights_step(problem, self.source, self._path)

    @staticmethod
    def counts(options: Options, target: Target, hypernet: Hypernet | None, n_tasks: int) -> WeightCounts:
        counts = shared_counts("target", target, hypernet, n_tasks)
        return dataclasses.replace(counts, memory_bytes=2 * BYTES_PER_WEIGHT * target.n_weights)  # Omega and W*

    def start_task(self, task: int) -> None:
        self._engine.start_task(task)

    def prepare(self, task: int, train: Split) -> Split:
        return train

    def step(self, task: int, inputs: Tensor, labels: Tensor) -> None:
        self._engine.step(inputs, labels)

    def end_task(self, task: int, train: Split) -> None:
        penalty, omega, weights = self._path.penalty, self._path.omega, self.source.flat.detach()
        gained = omega / ((weights - penalty.anchor).square() + self.options.damping)
        penalty.importance.add_(gained.clamp_(min=0) if self.options.clamp else gained)
        penalty.anchor.copy_(weights)
        omega.zero_()

    def state(self) -> dict[str, Any]:
        return {"weights": self.source.state(), "penalty": self._path.penalty.state(), "omega": self._path.state()}

    def load_state(self, state: dict[str, Any]) -> None:
        self.source.load_state(state["weights"])
        self._path.penalty.load_state(**state["penalty"])
        self._path.load_state(state["omega"])


class PathIntegral:
    """The sum of -g dW over the steps of a task, eq. 3, besides a penalty.

    Attributes:
        penalty: on the weights; its gradient is part of g.
        omega: (n_weights,), the sum so far.
    """

    def __init__(self, penalty: QuadraticPenalty) -> None:
        self.penalty = penalty
        self.omega, self._change = torch.zeros_like(penalty.anchor), torch.zeros_like(penalty.anchor)

    def add_gradient(self, weights: Tensor, gradient: Tensor) -> None:
        self.penalty.add_gradient(weights, gradient)
        self._change.copy_(weights)

    def after_step(self, weights: Tensor, gradient: Tensor) -> None:
        torch.sub(weights, self._change, out=self._change)
        self.omega.addcmul_(gradient, self._change, value=-1)

    def state(self) -> Tensor:
        return copies([self.omega])[0]

    def load_state(self, omega: Tensor) -> None:
        self.omega.copy_(omega)
