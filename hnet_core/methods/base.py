"""Defaults that most methods share."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor

from hnet_core.hypernets import Hypernet
from hnet_core.problem import Predictor, Problem, Tensors
from hnet_core.streams import StreamShape
from hnet_core.targets import Target
from hnet_core.trial import TrialConfig, WeightCounts
from hnet_core.weights.sources import GeneratedWeights, WeightSource, fixed_predictor, shared_counts


class BaseMethod:
    """A method that trains one task after the other and keeps all its state in one weight source.

    The defaults are those of a method that trains the weights of the target network itself; a method overrides the
    parts in which it differs. `hnet_core.methods.protocol.Method` describes each part.

    Attributes:
        problem, source: set by the method's own __init__.
    """

    separate_networks: ClassVar[bool] = False
    trains_all_tasks_at_once: ClassVar[bool] = False
    single_head: ClassVar[bool] = False
    uses_engine: ClassVar[bool] = False
    page: ClassVar[str | None] = None
    tested_options: ClassVar[tuple[dict[str, Any], ...]] = ({},)
    problem: Problem
    source: WeightSource

    @staticmethod
    def uses_hypernet(options: Any) -> bool:
        return False

    @classmethod
    def network_per_task(cls, options: Any) -> bool:
        return cls.uses_hypernet(options)

    @classmethod
    def keeps_networks(cls, options: Any) -> bool:
        return cls.uses_hypernet(options)

    @staticmethod
    def two_gradients(options: Any) -> bool:
        return False

    @staticmethod
    def generated(options: Any, target: Target) -> Tensors:
        return target

    @staticmethod
    def unsupported(config: TrialConfig, shape: StreamShape, target: Target) -> str | None:
        return None

    @staticmethod
    def counts(options: Any, target: Target, hypernet: Hypernet | None, n_tasks: int) -> WeightCounts:
        return shared_counts("target", target, hypernet, n_tasks)

    @staticmethod
    def multiply_adds(options: Any, target: Target, hypernet: Any, batch_size: int, task: int) -> int:
        return 3 * target.multiply_adds(batch_size)

    def predictor(self, task: int) -> Predictor:
        return fixed_predictor(self.problem, task, self.source)

    def seen_predictor(self, n_seen: int) -> Predictor:
        with torch.no_grad():
            weights = self.source.weights(n_seen - 1)
        seen = slice(0, self.problem.shape.head(n_seen - 1).stop)
        return lambda inputs: self.problem.forward(n_seen - 1, weights, inputs)[:, seen]

    def feature_extractor(self, task: int) -> Predictor:
        with torch.no_grad():
            weights = self.weights(task)
        front = self.problem.target.part(0, self.problem.target.n_blocks)
        mode = self.problem.statistics.forward_mode(task, training=False)
        return lambda inputs: front.forward(inputs, weights[: front.n_weights], mode).flatten(1)

    def weights(self, task: int) -> Tensor:
        return self.source.weights(task)

    def task_embeddings(self) -> list[Tensor] | None:
        return self.source.embeddings if isinstance(self.source, GeneratedWeights) else None

    def state(self) -> dict[str, Any]:
        return self.source.state()

    def load_state(self, state: dict[str, Any]) -> None:
        self.source.load_state(state)
