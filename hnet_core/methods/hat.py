"""Hard attention to the task: learnt gates on hidden units, and no change of weights that earlier tasks use."""

from __future__ import annotations

import dataclasses
from typing import Any

import torch
from pydantic import Field
from torch import Tensor

from hnet_core.hypernets import Hypernet
from hnet_core.methods.base import BaseMethod
from hnet_core.optimization.batches import steps_per_epoch
from hnet_core.problem import Problem
from hnet_core.runtime import within_task
from hnet_core.streams import Split, StreamShape
from hnet_core.targets import Target
from hnet_core.targets.mlp import Mlp
from hnet_core.trial import ComponentOptions, TrainingOptions, TrialConfig, WeightCounts
from hnet_core.weights.gated import GatedWeights
from hnet_core.weights.sources import shared_counts

COSH_LIMIT = 50.0  # of the argument of cosh, which overflows


class Hat(BaseMethod):
    """L = L_task(W, a) + c * sum_i a_i (1 - A_i) / sum_i (1 - A_i), with gates a = sigmoid(s e_t) on hidden units.

    Serra et al., "Overcoming catastrophic forgetting with hard attention to the task" (ICML 2018),
    https://arxiv.org/abs/1801.01423. A is the largest gate of a unit in earlier tasks. s rises linearly from 1/s_max to
    s_max in each epoch (eq. 3) and is s_max in evaluation. The gradient of a weight is multiplied by 1 - min(A of its
    unit, A of the unit it reads) (eq. 2), that of e_t by the factor that the rise of s takes from it (eq. 5).

    Differs: where earlier tasks use every unit entirely, the penalty is 0; in the official code it is NaN.
    """

    name = "hat"
    summary = "hard attention to the task: gates on hidden units, used weights protected (Serra et al. 2018)"
    page = "hat"
    source: GatedWeights

    class Options(ComponentOptions):
        coefficient: float = Field(
            0.75,
            ge=0,
            description="c, on the share of the free units that a task takes",
            json_schema_extra={"search": {"choice": [0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.5, 4.0]}},
        )
        max_scale: float = Field(
            400.0,
            ge=1,
            description="s_max: how close to 0 and 1 the gates come",
            json_schema_extra={"search": {"choice": [25.0, 50.0, 100.0, 200.0, 400.0, 800.0]}},
        )
        max_embedding: float = Field(6.0, gt=0, description="entries of e_t stay within plus and minus this")
        max_gradient_norm: float = Field(10_000.0, gt=0, description="a longer gradient is scaled down to this norm")

    def __init__(self, options: Options, problem: Problem) -> None:
        self.options = options
        self.problem = problem
        self.source = GatedWeights(problem, options.max_scale)

    @classmethod
    def network_per_task(cls, options: Any) -> bool:
        return True

    @classmethod
    def keeps_networks(cls, options: Any) -> bool:
        return True

    @staticmethod
    def unsupported(config: TrialConfig, shape: StreamShape, target: Target) -> str | None:
        known: object = target
        if type(known) is not Mlp or not target.n_blocks:
            return (
                f"gates the hidden units of target mlp, got target {config.target.name} with {target.n_blocks} blocks"
            )
        if shape.shared_head:
            return "protects the units before the heads, so that every task must have a head of its own"
        if config.training.engine == "fast":
            return "is trained by the plain engine only, got training.engine fast; use auto or plain"
        return _why_weights_would_move(config.training)

    @staticmethod
    def counts(options: Options, target: Target, hypernet: Hypernet | None, n_tasks: int) -> WeightCounts:
        units = sum(shape[0] for shape in target.shapes[:-2:2])
        counts, every = shared_counts("target", target, hypernet, n_tasks), target.n_weights + n_tasks * units
        return dataclasses.replace(counts, model=every, trained=every, per_task=units)

    def start_task(self, task: int) -> None:
        source = self.source
        self._go_to(0)
        within_task.note(lambda: self._iteration, self._go_to)
        self._used = source.used(task)
        self._free = source.free(self._used) if task else None
        self._unused_units = (1 - self._used).sum().clamp(min=1e-12)
        for embedding in source.embeddings:
            embedding.grad = None  # only that of the task moves
        self._optimizer = self.problem.optimizer([source.own.flat, *source.embeddings])

    def prepare(self, task: int, train: Split) -> Split:
        self._n_examples = len(train)
        return train

    def end_task(self, task: int, train: Split) -> None:
        """Keep nothing of the examples."""

    def step(self, task: int, inputs: Tensor, labels: Tensor) -> None:
        source, options, scale = self.source, self.options, self._scale()
        flat, embedding = source.parameters(task)
        gates = source.gates(task, scale)
        loss = self.problem.task_loss(task, source.gated(gates), inputs, labels)
        taken = (gates * (1 - self._used)).sum() / self._unused_units
        flat.grad, embedding.grad = torch.autograd.grad(loss + options.coefficient * taken, [flat, embedding])
        if self._free is not None:
            flat.grad.mul_(self._free)
        embedding.grad.mul_(compensation(embedding.detach(), scale, options.max_scale))
        torch.nn.utils.clip_grad_norm_([flat, embedding], options.max_gradient_norm)
        self._optimizer.step()
        with torch.no_grad():
            embedding.clamp_(-options.max_embedding, options.max_embedding)
        self._iteration += 1

    def _go_to(self, iteration: int) -> None:
        self._iteration = iteration

    def _scale(self) -> float:
        """Return s of the present step, eq. 3: 1/s_max at the start of an epoch, s_max at its end."""
        training, largest = self.problem.training, self.options.max_scale
        step = self._iteration
        if training.epochs is not None or training.drop_last:
            step %= steps_per_epoch(training, self._n_examples)
        seen = step * training.batch_size % self._n_examples / self._n_examples
        return 1 / largest + (largest - 1 / largest) * seen


def compensation(embedding: Tensor, scale: float, max_scale: float) -> Tensor:
    """Return the factor of the gradient of an embedding, (n_units,), which is then that of sigmoid(e) times s_max.

    s_max / s * (cosh(s e) + 1) / (cosh(e) + 1), eq. 5: gates that s makes steep have hardly any gradient of their own.
    """
    steep = torch.cosh((scale * embedding).clamp(-COSH_LIMIT, COSH_LIMIT)) + 1
    return max_scale / scale * steep / (torch.cosh(embedding) + 1)


def _why_weights_would_move(training: TrainingOptions) -> str | None:
    """Return the reason why weights without a gradient would change; None if they do not."""
    if training.weight_decay:
        got = f"{training.weight_decay:g}"
        return (
            f"keeps weights by their gradient, and weight decay moves them; training.weight_decay must be 0, got {got}"
        )
    if not training.reset_optimizer and (training.optimizer != "sgd" or training.momentum):
        return (
            "keeps weights by their gradient, and moments of earlier tasks move them; set training.reset_optimizer to "
            "true, or optimizer sgd without momentum"
        )
    return None
