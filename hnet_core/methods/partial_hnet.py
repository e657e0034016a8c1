"""Partial hypernetworks: the first blocks frozen after the first task, the weights of the others generated."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor

from hnet_core.hypernets import Hypernet
from hnet_core.methods.base import BaseMethod
from hnet_core.methods.exported_blocks import StartOptions, misfit, take_blocks
from hnet_core.methods.frozen_blocks import FREEZE_DEPTHS, FrozenBlocks, too_deep
from hnet_core.problem import Predictor, Problem
from hnet_core.regularizers.snapshots import snapshot
from hnet_core.runtime import within_task
from hnet_core.seeding import generator
from hnet_core.streams import Split, StreamShape
from hnet_core.targets import Target
from hnet_core.targets.target import Normalization
from hnet_core.trial import TrialConfig, WeightCounts
from hnet_core.weights.sources import GeneratedWeights, copies, shared_counts


class PartialHnet(BaseMethod):
    """L(psi) + beta_output * mean over previous tasks j of |h(e_j, psi') - h*(e_j)|^2, one optimiser over psi.

    Hemati et al., "Partial hypernetworks for continual learning" (CoLLAs 2023), eq. 7 to 10 and algorithm 1. psi is
    the hypernetwork with the embeddings of all tasks seen so far, h* its weights before the task, and psi' = psi - lr *
    grad L(psi) is looked ahead to. The first `freeze_depth` blocks have weights of their own, learnt with the first
    task, or those of an exported model, frozen from the start.

    Differs: the weights are generated once per batch, not once per image as in the official code; with normalisation
    `instance` the outputs are the same. The gradients are summed as in that code, not averaged as in algorithm 1.

    Attributes:
        gradient_cosines: for each task so far, the cosine of the two gradients of the hypernetwork's weights, of the
            task's loss and of the regulariser, at every step of its first epoch (their Fig. 12); empty for the first.
    """

    name = "partial_hnet"
    summary = "hypernetwork for the last blocks, the first ones frozen after task 1 (Hemati et al. 2023)"
    page = "partial_hnet"
    tested_options: ClassVar[tuple[dict[str, Any], ...]] = (
        {},
        {"freeze_depth": 1},
        {"freeze_depth": 1, "lookahead": "second_order"},
        {"lookahead": "none"},
    )
    single_head: ClassVar[bool] = True
    source: GeneratedWeights

    class Options(StartOptions):
        freeze_depth: int = Field(
            0,
            ge=0,
            description="blocks frozen after the first task; 0 generates all weights",
            json_schema_extra=FREEZE_DEPTHS,
        )
        beta_output: float = Field(
            0.5,
            ge=0,
            description="strength of the output regulariser (lambda in the paper)",
            json_schema_extra={"search": {"float": [0.01, 10.0], "log": True}},
        )
        lookahead: Literal["first_order", "second_order", "none"] = Field(
            "first_order", description="psi' = psi - lr * gradient, held constant or differentiated; none: psi' = psi"
        )
        regularized_tasks: int | None = Field(
            20, ge=1, description="previous tasks drawn at random for each step; null: all of them"
        )
        frozen_normalization: Normalization = Field(
            "batch", description="in the frozen blocks; batch as in the official code: no activation can be reused"
        )
        copy_embedding: bool = Field(True, description="a task starts with the embedding of the one before it")

    def __init__(self, options: Options, problem: Problem) -> None:
        self.options = options
        self.frozen = FrozenBlocks(
            problem,
            options.freeze_depth,
            options.frozen_normalization,
            starts_frozen=options.start_from is not None,
        )
        if problem.steps:  # a model that is read back has its weights already
            take_blocks(options, [(self.frozen.part, self.frozen.flat)])
        self.problem = problem.part(options.freeze_depth)
        self.source = GeneratedWeights(self.problem)
        self._given_features = False
        self.gradient_cosines: list[list[float]] = []

    @staticmethod
    def uses_hypernet(options: Options) -> bool:
        return True

    @classmethod
    def keeps_networks(cls, options: Any) -> bool:
        return bool(options.beta_output > 0)

    @staticmethod
    def two_gradients(options: Any) -> bool:
        return bool(options.beta_output > 0)

    @staticmethod
    def generated(options: Options, target: Target) -> Target:
        return target.part(options.freeze_depth)

    @staticmethod
    def unsupported(config: TrialConfig, shape: StreamShape, target: Target) -> str | None:
        options: Any = config.method
        return too_deep(options.freeze_depth, target) or misfit(options, target, options.freeze_depth)

    @staticmethod
    def counts(options: Options, target: Target, hypernet: Hypernet | None, n_tasks: int) -> WeightCounts:
        frozen = target.part(0, options.freeze_depth).n_weights
        counts = shared_counts("hypernet", target, hypernet, n_tasks)
        every = frozen + counts.hypernet
        return dataclasses.replace(
            counts, model=every, trained=every if options.start_from is None else counts.hypernet
        )

    @staticmethod
    def multiply_adds(options: Options, target: Target, hypernet: Hypernet, batch_size: int, task: int) -> int:
        frozen, rest = target.part(0, options.freeze_depth), target.part(options.freeze_depth)
        regularized = min(task, options.regularized_tasks or task) if options.beta_output else 0
        of_frozen = (3 if task == 0 and options.start_from is None else 1) * frozen.multiply_adds(batch_size)
        of_weights: int = (1 + regularized) * hypernet.multiply_adds()
        return of_frozen + 3 * (rest.multiply_adds(batch_size) + of_weights)

    def start_task(self, task: int) -> None:
        embeddings = self.source.embeddings
        if task > 0 and self.options.copy_embedding:
            size = self.source.hypernet.n_read
            with torch.no_grad():
                embeddings[task][:size] = embeddings[task - 1][:size]
        self._seen = embeddings[: task + 1]
        frozen = self.frozen.parameters(0)
        for part in [*embeddings, *frozen]:  # without a gradient it does not move: only the present task's has one
            part.grad = None
        self._optimizer = self.problem.optimizer([*self.source.theta, *embeddings, *frozen])
        self._draws = generator(self.problem.seed, "regularized tasks", task)
        self._cosines: list[Tensor] = []
        within_task.note(lambda: copies(self._cosines), self._load_cosines)
        self._steps_of_epoch = 0
        if self._protects(task):
            previous = torch.stack(embeddings[:task])
            engine = self.problem.training.engine
            self._snapshot = snapshot(self.source.hypernet, self.source.theta, previous, engine)

    def prepare(self, task: int, train: Split) -> Split:
        features = None if self.frozen.trains(task) else self.frozen.computed_once(train)
        self._given_features = features is not None
        self._steps_of_epoch = -(-len(train) // self.problem.training.batch_size)
        return features or train

    def end_task(self, task: int, train: Split) -> None:
        """Keep the cosines of the gradients, and nothing of the examples."""
        self.gradient_cosines.append([float(cosine) for cosine in self._cosines])

    def step(self, task: int, inputs: Tensor, labels: Tensor) -> None:
        theta, embedding, frozen = self.source.theta, self._seen[task], self.frozen.parameters(task)
        features = inputs if self._given_features else self.frozen.features(task, inputs, training=True)
        loss = self.problem.task_loss(task, self.source.weights(task), features, labels)
        protects = self._protects(task)
        differentiable = protects and self.options.lookahead == "second_order"
        own = [*theta, embedding]
        gradients = torch.autograd.grad(loss, [*own, *frozen], create_graph=differentiable)
        for part, gradient in zip([*own, *frozen], gradients, strict=True):
            part.grad = gradient.detach()
        if protects:
            self._protect(task, gradients[: len(own)])
        self._optimizer.step()

    def _protect(self, task: int, gradients: tuple[Tensor, ...]) -> None:
        """Add beta times the gradient of the regulariser to `.grad` of theta and all embeddings.

        With psi' = psi - lr g(psi), v the gradient of R at psi' and H the Hessian of the task's loss, that gradient is
        v (first order: g a constant) or v - lr H v (second order).
        """
        theta, lr, beta = self.source.theta, self.problem.lr, self.options.beta_output
        step = 0.0 if self.options.lookahead == "none" else lr
        ahead = [
            (part.detach() - step * gradient.detach()).requires_grad_()
            for part, gradient in zip(theta, gradients, strict=False)
        ]
        tasks = self._regularized_tasks(task)
        previous = torch.stack(self._seen[:-1]).detach()[tasks].requires_grad_()
        drift = beta * self._snapshot.drift(ahead, previous, tasks)
        *of_theta, of_previous = torch.autograd.grad(drift, [*ahead, previous])
        if len(self._cosines) < self._steps_of_epoch:
            self._cosines.append(_cosine(gradients[: len(theta)], of_theta))
        if self.options.lookahead == "second_order":
            parts = [*theta, self._seen[task]]
            products = torch.autograd.grad(gradients[: len(theta)], parts, grad_outputs=of_theta)
            for part, product in zip(parts, products, strict=True):
                _grad(part).sub_(lr * product)
        for part, gradient in zip(theta, of_theta, strict=True):
            _grad(part).add_(gradient)
        for embedding in self._seen[:-1]:
            embedding.grad = torch.zeros_like(embedding)
        for position, gradient in zip(tasks.tolist(), of_previous, strict=True):
            _grad(self._seen[position]).add_(gradient)

    def predictor(self, task: int) -> Predictor:
        with torch.no_grad():
            weights = self.source.weights(task)
        return lambda inputs: self.problem.outputs(task, weights, self.frozen.features(task, inputs))

    def frozen_weights(self) -> Tensor:
        return self.frozen.flat

    def feature_extractor(self, task: int) -> Predictor:
        of_generated = super().feature_extractor(task)
        return lambda inputs: of_generated(self.frozen.features(task, inputs))

    def _load_cosines(self, cosines: list[Tensor]) -> None:
        self._cosines = [cosine.to(self.problem.device) for cosine in cosines]

    def state(self) -> dict[str, Any]:
        return {
            "generated": self.source.state(),
            "front": self.frozen.state(),
            "statistics": self.problem.statistics.state(),
            "gradient_cosines": [list(of_task) for of_task in self.gradient_cosines],
        }

    def load_state(self, state: dict[str, Any]) -> None:
        self.source.load_state(state["generated"])
        self.frozen.load_state(state["front"])
        self.problem.statistics.load_state(state["statistics"])
        self.gradient_cosines = [
            list(of_task) for of_task in state.get("gradient_cosines", [])
        ]  # absent in earlier ones

    def _protects(self, task: int) -> bool:
        return task > 0 and self.options.beta_output > 0

    def _regularized_tasks(self, task: int) -> Tensor:
        wanted = self.options.regularized_tasks
        if wanted is None or wanted >= task:
            return torch.arange(task, device=self.problem.device)
        return torch.randperm(task, generator=self._draws)[:wanted].to(self.problem.device)


def _cosine(a: Sequence[Tensor], b: Sequence[Tensor]) -> Tensor:
    """Return the cosine of the angle between two vectors given in parts, a scalar; 0 where one of them is 0."""
    first, second = (torch.cat([part.detach().flatten() for part in parts]) for parts in (a, b))
    return F.cosine_similarity(first, second, dim=0)


def _grad(part: Tensor) -> Tensor:
    if part.grad is None:
        raise ValueError("the gradient of the task's loss must be computed first.")
    return part.grad
