"""Elastic weight consolidation: a quadratic penalty on changes of weights important for earlier tasks."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor

from hnet_core.engines import own_weights_step
from hnet_core.hypernets import Hypernet
from hnet_core.methods.base import BaseMethod
from hnet_core.options import ADDED_LATER
from hnet_core.problem import Problem
from hnet_core.regularizers.fisher import LabelChoice, fisher_diagonal
from hnet_core.regularizers.quadratic import QuadraticPenalty
from hnet_core.streams import Split, StreamShape
from hnet_core.targets import Target
from hnet_core.trial import BYTES_PER_WEIGHT, ComponentOptions, TrialConfig, WeightCounts
from hnet_core.weights.sources import OwnWeights, shared_counts


class Ewc(BaseMethod):
    """L = L_task(W) + lambda / 2 * sum_i F_i (W_i - W*_i)^2, F <- gamma * F + F_task after every task.

    Kirkpatrick et al., "Overcoming catastrophic forgetting in neural networks" (PNAS 2017),
    https://arxiv.org/abs/1612.00796, in the online form of Schwarz et al., "Progress & Compress" (ICML 2018),
    https://arxiv.org/abs/1805.06370: one F and one W* (the weights after the last task) for all tasks. F_task is the
    mean squared gradient of log p(y | x) over training examples.

    With `anchors: every_task` the penalty is that of the first paper, sum over tasks t of lambda / 2 * sum_i F_ti
    (W_i - W*_ti)^2. Up to a constant it is the online one around the mean of the W*_t weighted by the F_t, which is
    all that is kept. docs/methods/ewc.md has the options of published runs.
    """

    name = "ewc"
    summary = "elastic weight consolidation on the target's own weights (Kirkpatrick et al. 2017, Schwarz et al. 2018)"
    page = "ewc"
    uses_engine = True
    tested_options: ClassVar[tuple[dict[str, Any], ...]] = (
        {"fisher_examples": 10},
        {"decay": 0.5, "decay_in_loss": True, "fisher_examples": 10, "labels": "predicted"},
        {"anchors": "every_task", "fisher_examples": 20, "fisher_batch": 8},
        {"fisher_examples": 10, "labels": "sampled"},
    )
    source: OwnWeights

    class Options(ComponentOptions):
        penalty: float = Field(
            100.0,
            ge=0,
            description="lambda; von Oswald et al. take 100, Hemati et al. 1 without the half, which is 2 here",
        )
        decay: float = Field(1.0, ge=0, le=1, description="gamma, on the importance of earlier tasks; 1 forgets none")
        fisher_examples: int | None = Field(
            None, ge=1, description="training examples the importance is estimated on; left out: all of the task"
        )
        labels: LabelChoice = Field(
            "true",
            description="y of the importance: of the data, the most probable (van de Ven and Tolias), or drawn from p",
            json_schema_extra=ADDED_LATER,
        )
        decay_in_loss: bool = Field(
            False, description="gamma multiplies lambda too (van de Ven and Tolias)", json_schema_extra=ADDED_LATER
        )
        anchors: Literal["last", "every_task"] = Field(
            "last",
            description="one penalty around the last weights, or one for every task around its own",
            json_schema_extra=ADDED_LATER,
        )
        fisher_batch: int = Field(
            1,
            ge=1,
            description="examples whose gradients are averaged before they are squared; Avalanche: the training batch",
            json_schema_extra=ADDED_LATER,
        )

    def __init__(self, options: Options, problem: Problem) -> None:
        self.options = options
        self.problem = problem
        self.source = OwnWeights(problem)
        strength = options.penalty * (options.decay if options.decay_in_loss else 1.0)
        self._penalty = QuadraticPenalty(self.source.flat, strength)
        self._engine = own_weights_step(problem, self.source, self._penalty)

    @staticmethod
    def unsupported(config: TrialConfig, shape: StreamShape, target: Target) -> str | None:
        options: Any = config.method
        if shape.measure == "mse" and options.labels != "true":
            return f"has no classes to choose labels from in a regression, got labels {options.labels}; set it to true"
        return None

    @staticmethod
    def counts(options: Options, target: Target, hypernet: Hypernet | None, n_tasks: int) -> WeightCounts:
        counts = shared_counts("target", target, hypernet, n_tasks)
        return dataclasses.replace(counts, memory_bytes=2 * BYTES_PER_WEIGHT * target.n_weights)  # F and W*

    def start_task(self, task: int) -> None:
        self._engine.start_task(task)

    def prepare(self, task: int, train: Split) -> Split:
        return train

    def step(self, task: int, inputs: Tensor, labels: Tensor) -> None:
        self._engine.step(inputs, labels)

    def end_task(self, task: int, train: Split) -> None:
        importance, anchor, weights = self._penalty.importance, self._penalty.anchor, self.source.flat.detach()
        fisher = self._fisher_of(task, train)
        importance.mul_(self.options.decay).add_(fisher)
        if self.options.anchors == "last":
            anchor.copy_(weights)
        else:  # the mean weighted by the importance; where that is 0 the anchor has no effect
            anchor.lerp_(weights, torch.where(importance > 0, fisher / importance, 1.0))

    def state(self) -> dict[str, Any]:
        penalty = self._penalty.state()
        return {"weights": self.source.state(), "fisher": penalty["importance"], "anchor": penalty["anchor"]}

    def load_state(self, state: dict[str, Any]) -> None:
        self.source.load_state(state["weights"])
        self._penalty.load_state(state["fisher"], state["anchor"])

    def _fisher_of(self, task: int, train: Split) -> Tensor:
        options = self.options
        return fisher_diagonal(
            self.problem,
            task,
            self.source.flat,
            train,
            labels=options.labels,
            n_examples=options.fisher_examples,
            batch_size=options.fisher_batch,
        )
