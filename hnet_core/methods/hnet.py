"""Task-conditioned hypernetworks with output regularisation (von Oswald et al. 2020)."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor

from hnet_core.engines import Protection, hypernet_step
from hnet_core.hypernets import Hypernet
from hnet_core.methods.base import BaseMethod
from hnet_core.options import ADDED_LATER
from hnet_core.problem import Problem
from hnet_core.regularizers.fisher import fisher_diagonal
from hnet_core.regularizers.lookahead import EpsilonPlacement
from hnet_core.seeding import generator
from hnet_core.streams import Split, StreamShape
from hnet_core.targets import Target
from hnet_core.trial import BYTES_PER_WEIGHT, ComponentOptions, TrialConfig, WeightCounts
from hnet_core.weights.sources import GeneratedWeights, copies, shared_counts


class Hnet(BaseMethod):
    """One task after the other, with a penalty on changes of the weights generated for previous tasks.

    L = L_task(theta, e_t) + beta_output * R(theta + dtheta), eq. 2 of "Continual learning with hypernetworks"
    (ICLR 2020, https://arxiv.org/abs/1906.00695), where dtheta is the step the optimiser would take for L_task alone,
    held constant. theta and e_t are trained, embeddings of previous tasks are not.
    """

    name = "hnet"
    summary = "task-conditioned hypernetwork with output regulariser (von Oswald et al. 2020)"
    page = "hnet"
    uses_engine = True
    tested_options: ClassVar[tuple[dict[str, Any], ...]] = (
        {},
        {"lookahead": "sgd"},
        {"regularized_outputs": "own_head"},
        {"regularized_tasks": 1},
        {"previous_embeddings": "trained", "initial_embedding": "previous"},
        {"lookahead_gradient": "differentiated"},
        {"output_weights": "fisher", "fisher_examples": 10},
    )

    source: GeneratedWeights

    class Options(ComponentOptions):
        beta_output: float = Field(
            0.01,
            ge=0,
            description="strength of the output regulariser",
            json_schema_extra={"search": {"float": [0.0005, 1.0], "log": True}},
        )
        lookahead: Literal["adam", "sgd", "none"] = Field(
            "adam",
            description="dtheta of eq. 2: the next step of Adam (with no other optimizer), -lr * gradient, or zero",
        )
        lookahead_epsilon: EpsilonPlacement = Field(
            "as_optimizer", description="uncorrected: as the official code, before the bias correction of Adam"
        )
        regularized_outputs: Literal["all", "own_head"] = Field(
            "all", description="own_head leaves out heads of other tasks (official CIFAR code; its MNIST code: all)"
        )
        regularized_tasks: int | None = Field(
            None, ge=1, description="previous tasks drawn at random for each step; left out: all of them"
        )
        regularizer_target: Literal["stored", "recomputed"] = Field(
            "stored", description="keep the previous weights (official code) or the previous theta (paper)"
        )

        lookahead_gradient: Literal["constant", "differentiated"] = Field(
            "constant",
            description="dtheta of eq. 2 is a constant, or the gradient of the regulariser flows through it too",
            json_schema_extra=ADDED_LATER,
        )
        previous_embeddings: Literal["fixed", "trained"] = Field(
            "fixed",
            description="the regulariser may move the embeddings of previous tasks, its targets are of their copies",
            json_schema_extra=ADDED_LATER,
        )
        initial_embedding: Literal["random", "previous"] = Field(
            "random",
            description="a task starts with an embedding of its own, or with that of the task before it",
            json_schema_extra=ADDED_LATER,
        )
        output_weights: Literal["equal", "fisher"] = Field(
            "equal",
            description="weight of each squared difference in the regulariser: 1, or its Fisher information",
            json_schema_extra=ADDED_LATER,
        )
        fisher_examples: int | None = Field(
            None,
            ge=1,
            description="training examples of a task that output_weights fisher is estimated on; left out: all",
            json_schema_extra=ADDED_LATER,
        )

    def __init__(self, options: Options, problem: Problem) -> None:
        self.options = options
        self.problem = problem
        self.source = GeneratedWeights(problem)
        self._engine = hypernet_step(problem, self.source, _plain_only(options))
        self._importance: list[Tensor] = []  # of the outputs of each finished task, (n_outputs,)

    @staticmethod
    def uses_hypernet(options: Options) -> bool:
        return True

    @classmethod
    def keeps_networks(cls, options: Any) -> bool:
        return bool(options.beta_output > 0)

    @staticmethod
    def unsupported(config: TrialConfig, shape: StreamShape, target: Target) -> str | None:
        options: Any = config.method
        optimizer = config.training.optimizer
        reason = _plain_only(options)
        if reason is not None and config.training.engine == "fast":
            return f"cannot be trained by training.engine fast: {reason}; use auto or plain"
        if options.lookahead_gradient == "differentiated" and options.lookahead == "none":
            return "has no step to differentiate with lookahead none; set lookahead to adam or sgd"
        if optimizer == "adam" or options.lookahead != "adam" or not options.beta_output:
            return None
        return f"looks ahead with Adam's step, got training.optimizer {optimizer}; set method.lookahead to sgd or none"

    @staticmethod
    def counts(options: Options, target: Target, hypernet: Hypernet | None, n_tasks: int) -> WeightCounts:
        counts = shared_counts("hypernet", target, hypernet, n_tasks)
        kept = n_tasks * target.n_weights if options.output_weights == "fisher" else 0
        return dataclasses.replace(counts, memory_bytes=BYTES_PER_WEIGHT * kept)

    @staticmethod
    def multiply_adds(options: Options, target: Target, hypernet: Hypernet, batch_size: int, task: int) -> int:
        regularized = min(task, options.regularized_tasks or task) if options.beta_output else 0
        return 3 * (target.multiply_adds(batch_size) + (1 + regularized) * hypernet.multiply_adds())

    def start_task(self, task: int) -> None:
        if task > 0 and self.options.initial_embedding == "previous":
            n_read, embeddings = self.source.hypernet.n_read, self.source.embeddings
            with torch.no_grad():
                embeddings[task][:n_read] = embeddings[task - 1][:n_read]
        self._draws = generator(self.problem.seed, "regularized tasks", task)
        protects = task > 0 and self.options.beta_output > 0
        self._engine.start_task(task, self._protection(task) if protects else None)

    def step(self, task: int, inputs: Tensor, labels: Tensor) -> None:
        self._engine.step(inputs, labels, self._regularized_tasks(task))

    def prepare(self, task: int, train: Split) -> Split:
        return train

    def end_task(self, task: int, train: Split) -> None:
        if self.options.output_weights == "fisher":
            with torch.no_grad():
                weights = self.source.weights(task)
            n_examples = self.options.fisher_examples
            self._importance.append(fisher_diagonal(self.problem, task, weights, train, n_examples=n_examples))

    def state(self) -> dict[str, Any]:
        importance = {"importance": copies(self._importance)} if self.options.output_weights == "fisher" else {}
        return {**self.source.state(), **importance}

    def load_state(self, state: dict[str, Any]) -> None:
        self.source.load_state(state)
        self._importance = [part.to(self.problem.device) for part in state.get("importance", [])]

    def _protection(self, task: int) -> Protection:
        options = self.options
        return Protection(
            beta=options.beta_output,
            lookahead=options.lookahead,
            epsilon=options.lookahead_epsilon,
            kept=self._kept_outputs(task),
            n_drawn=options.regularized_tasks,
            importance=torch.stack(self._importance) if self._importance else None,
            differentiates_step=options.lookahead_gradient == "differentiated",
            trains_previous=options.previous_embeddings == "trained",
            store_targets=options.regularizer_target == "stored",
        )

    def _regularized_tasks(self, task: int) -> list[int] | None:
        wanted = self.options.regularized_tasks
        if wanted is None or wanted >= task:
            return None
        return torch.randperm(task, generator=self._draws)[:wanted].tolist()

    def _kept_outputs(self, task: int) -> Tensor | None:
        """Return a mask (n_previous_tasks, n_outputs) without the last-layer weights of the heads of other tasks."""
        if self.options.regularized_outputs == "all":
            return None
        target, shape = self.problem.target, self.problem.shape
        kept = torch.ones(task, target.n_weights, dtype=torch.bool)
        kept[:, target.weights_of_outputs(slice(0, shape.n_outputs))] = False
        for previous in range(task):
            kept[previous, target.weights_of_outputs(shape.head(previous))] = True
        return kept.to(self.problem.device)


def _plain_only(options: Any) -> str | None:
    """Return the reason why the fast engine cannot train with these options; None if it can."""
    if not options.beta_output:
        return None
    wanted = {
        "lookahead_gradient": ("differentiated", "it takes the look-ahead step as a constant"),
        "previous_embeddings": ("trained", "it keeps the embeddings of previous tasks"),
        "output_weights": ("fisher", "it regularises all outputs equally"),
    }
    found = {key: value for key, (value, _) in wanted.items() if getattr(options, key) == value}
    return next((f"{wanted[key][1]}, got method.{key} {value}" for key, value in found.items()), None)
