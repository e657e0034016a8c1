"""Online elastic weight consolidation: a quadratic penalty on changes of weights important for earlier tasks."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

import torch
from pydantic import Field
from torch import Tensor

from hnet_core.hypernets import Hypernet
from hnet_core.methods.base import BaseMethod
from hnet_core.problem import Problem
from hnet_core.seeding import generator
from hnet_core.streams import Split
from hnet_core.targets import Target
from hnet_core.trial import BYTES_PER_WEIGHT, ComponentOptions, WeightCounts
from hnet_core.weights.sources import OwnWeights, copies, shared_counts

EXAMPLES_AT_A_TIME = 16


class Ewc(BaseMethod):
    """L = L_task(W) + lambda / 2 * sum_i F_i (W_i - W*_i)^2, F <- gamma * F + F_task after every task.

    Kirkpatrick et al., "Overcoming catastrophic forgetting in neural networks" (PNAS 2017),
    https://arxiv.org/abs/1612.00796, in the online form of Schwarz et al., "Progress & Compress" (ICML 2018),
    https://arxiv.org/abs/1805.06370: one F and one W* (the weights after the last task) for all tasks. F_task is the
    mean squared gradient of log p(y | x) over training examples, y their labels (the empirical Fisher).

    Differs: F decays once per task; the official code of von Oswald et al. (2020) multiplies it by gamma whenever the
    penalty is computed, that is in every step.
    """

    name = "ewc"
    summary = "online elastic weight consolidation on the target's own weights (Schwarz et al. 2018)"
    page = "ewc"
    tested_options: ClassVar[tuple[dict[str, Any], ...]] = (
        {"fisher_examples": 10},
        {"decay": 0.5, "fisher_examples": 10},
    )
    source: OwnWeights

    class Options(ComponentOptions):
        penalty: float = Field(100.0, ge=0, description="lambda; von Oswald et al. take 100, Hemati et al. 1")
        decay: float = Field(1.0, ge=0, le=1, description="gamma, on the importance of earlier tasks; 1 forgets none")
        fisher_examples: int | None = Field(
            None, ge=1, description="training examples the importance is estimated on; left out: all of the task"
        )

    def __init__(self, options: Options, problem: Problem) -> None:
        self.options = options
        self.problem = problem
        self.source = OwnWeights(problem)
        self._fisher = torch.zeros_like(self.source.flat.detach())
        self._anchor = torch.zeros_like(self._fisher)

    @staticmethod
    def counts(options: Options, target: Target, hypernet: Hypernet | None, n_tasks: int) -> WeightCounts:
        counts = shared_counts("target", target, hypernet, n_tasks)
        return dataclasses.replace(counts, memory_bytes=2 * BYTES_PER_WEIGHT * target.n_weights)  # F and W*

    def start_task(self, task: int) -> None:
        self._optimizer = self.problem.optimizer([self.source.flat])

    def prepare(self, task: int, train: Split) -> Split:
        return train

    def step(self, task: int, inputs: Tensor, labels: Tensor) -> None:
        flat = self.source.flat
        loss = self.problem.task_loss(task, flat, inputs, labels)
        (gradient,) = torch.autograd.grad(loss, [flat])
        if task > 0:
            gradient = gradient + self.options.penalty * self._fisher * (flat.detach() - self._anchor)
        flat.grad = gradient
        self._optimizer.step()

    def end_task(self, task: int, train: Split) -> None:
        self._fisher = self.options.decay * self._fisher + self._fisher_of(task, train)
        self._anchor = self.source.flat.detach().clone()

    def state(self) -> dict[str, Any]:
        fisher, anchor = copies([self._fisher, self._anchor])
        return {"weights": self.source.state(), "fisher": fisher, "anchor": anchor}

    def load_state(self, state: dict[str, Any]) -> None:
        self.source.load_state(state["weights"])
        self._fisher, self._anchor = (state[key].to(self.problem.device) for key in ("fisher", "anchor"))

    def _fisher_of(self, task: int, train: Split) -> Tensor:
        """Return the mean squared gradient of the loss of single examples, (n_weights,), in evaluation mode."""
        draws = generator(self.problem.seed, "fisher", task)
        chosen = torch.randperm(len(train), generator=draws)[: self.options.fisher_examples].to(self.problem.device)
        flat, total = self.source.flat.detach(), torch.zeros_like(self._fisher)

        def loss_of_one(weights: Tensor, x: Tensor, y: Tensor) -> Tensor:
            return self.problem.task_loss(task, weights, x.unsqueeze(0), y.unsqueeze(0), training=False)

        gradients = torch.func.vmap(torch.func.grad(loss_of_one), in_dims=(None, 0, 0))
        for index in chosen.split(EXAMPLES_AT_A_TIME):
            total += gradients(flat, *train.batch(index, self.problem.dtype)).square().sum(dim=0)
        return total / len(chosen)
