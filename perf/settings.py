"""Timed settings: published configurations, and the tasks at which the cost of the regulariser shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from hnet_core.hypernets import Hypernet
from hnet_core.registry import HYPERNETS
from hnet_core.trial import TrialConfig


@dataclass(frozen=True)
class StepSetting:
    """A complete training step.

    Attributes:
        tasks: counted from 1; task t has t - 1 previous tasks.
        rounds: steps per engine.
    """

    config: dict[str, Any]
    tasks: tuple[int, ...]
    rounds: int

    def trial(self, engine: str) -> TrialConfig:
        return TrialConfig.model_validate({**self.config, "training": {**self.config["training"], "engine": engine}})


@dataclass(frozen=True)
class RegularizerSetting:
    """The regulariser alone, value and gradient, with theta changed by 1e-3.

    Attributes:
        n_target: weights of the target network.
        n_tasks, n_head_inputs, n_head_outputs: where only a task's own head counts, heads in all and size of one, the
            heads being the last weights (weights of all heads, then biases); 0 where all weights count.
        loop_tasks: previous tasks the plain loop is timed on at most; its time is then scaled to all of them.
    """

    hypernet: dict[str, Any]
    n_target: int
    tasks: tuple[int, ...]
    rounds: int
    n_tasks: int = 0
    n_head_inputs: int = 0
    n_head_outputs: int = 0
    loop_tasks: int = 1_000

    def network(self) -> Hypernet:
        kind = HYPERNETS[self.hypernet["name"]]
        network: Hypernet = kind(kind.Options.model_validate(self.hypernet), ((self.n_target,),))
        return network

    def kept(self, n_previous: int) -> Tensor | None:
        """Return the mask without the heads of other tasks, (n_previous, n_target)."""
        if not self.n_head_outputs:
            return None
        n_outputs = self.n_tasks * self.n_head_outputs
        kept = torch.ones(n_previous, self.n_target, dtype=torch.bool)
        weights = kept[:, -n_outputs * (self.n_head_inputs + 1) : -n_outputs].view(n_previous, self.n_tasks, -1)
        biases = kept[:, -n_outputs:].view(n_previous, self.n_tasks, -1)
        for heads in (weights, biases):
            heads[:] = False
            heads[range(n_previous), range(n_previous)] = True
        return kept


# The published settings of von Oswald et al. (2020): paper and official code.
SPLIT_MNIST: dict[str, Any] = {
    "stream": {"name": "split", "dataset": "mnist", "n_tasks": 5, "validation": 0.0},
    "method": {"name": "hnet", "beta_output": 0.01},
    "target": {"name": "mlp", "hidden": [400, 400]},
    "hypernet": {"name": "chunked", "chunk_size": 42_000, "task_embedding": 96, "chunk_embedding": 96},
    "training": {"iterations": 2000, "batch_size": 128},
}
PERMUTED_MNIST_10: dict[str, Any] = {
    "stream": {"name": "permuted", "dataset": "mnist", "n_tasks": 10, "padding": 2, "validation": 0.0},
    "method": {"name": "hnet", "beta_output": 0.01},
    "target": {"name": "mlp", "hidden": [1000, 1000]},
    "hypernet": {
        "name": "chunked",
        "chunk_size": 78_000,
        "hidden": [25, 25],
        "activation": "elu",
        "task_embedding": 24,
        "chunk_embedding": 8,
    },
    "training": {"iterations": 5000, "batch_size": 128, "lr": 1e-4},
}
PERMUTED_MNIST_100: dict[str, Any] = {
    "name": "chunked",
    "chunk_size": 7_500,
    "hidden": [200, 250, 350],
    "task_embedding": 128,
    "chunk_embedding": 12,
}
RESNET32: dict[str, Any] = {
    "name": "chunked",
    "chunk_size": 7_000,
    "hidden": [],
    "task_embedding": 32,
    "chunk_embedding": 32,
}

STEPS = {
    "split_mnist": StepSetting(SPLIT_MNIST, (1, 2, 3, 4, 5), rounds=40),
    "permuted_mnist_10": StepSetting(PERMUTED_MNIST_10, (2, 5, 10), rounds=12),
}
REGULARIZERS = {
    "split_mnist": RegularizerSetting(SPLIT_MNIST["hypernet"], 478_410, (2, 3, 5), rounds=40),
    "permuted_mnist_10": RegularizerSetting(PERMUTED_MNIST_10["hypernet"], 2_126_100, (2, 5, 10), rounds=12),
    "permuted_mnist_100": RegularizerSetting(
        PERMUTED_MNIST_100, 3_027_000, (2, 11, 31, 100), rounds=3, n_tasks=100, loop_tasks=4
    ),
    # CIFAR-10 and 5 x 10 classes of CIFAR-100; the official code holds the own head of each task only.
    "resnet32": RegularizerSetting(
        RESNET32, 468_540, (2, 6), rounds=40, n_tasks=6, n_head_inputs=64, n_head_outputs=10
    ),
}
