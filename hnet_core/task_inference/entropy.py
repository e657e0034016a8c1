"""Task inference by the confidence of the networks of the tasks."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor

from hnet_core.methods.protocol import Method
from hnet_core.problem import Problem
from hnet_core.streams import Split, StreamShape
from hnet_core.targets import Target
from hnet_core.task_inference.protocol import InferenceCounts, TaskOutputs
from hnet_core.trial import ComponentOptions, TrialConfig, WeightCounts


class Entropy:
    """The task whose network is the most certain: the one with the least entropy of its softmax outputs.

    HNET+ENT of von Oswald et al., "Continual learning with hypernetworks" (ICLR 2020), sec. 2.3,
    https://arxiv.org/abs/1906.00695; the same rule on masks in HyperMask (Ksiazek and Spurek 2023). Nothing is trained
    and nothing stored; classifying one input takes a forward pass through the network of every task.

    Differs: 0 log 0 is 0; in the official code a probability that underflows makes the entropy NaN.
    """

    name = "entropy"
    summary = "the task whose network is the most certain (HNET+ENT of von Oswald et al. 2020)"
    page = "task_inference"
    tested_options: ClassVar[tuple[dict[str, Any], ...]] = ({},)

    class Options(ComponentOptions):
        pass

    def __init__(self, options: Options, problem: Problem, method: Method) -> None:
        pass

    @staticmethod
    def unsupported(config: TrialConfig, shape: StreamShape, target: Target) -> str | None:
        if shape.outputs_per_task == 1:
            return "compares the certainty of classifications, and a task of this stream has one class"
        return None

    @staticmethod
    def counts(options: Options, shape: StreamShape, target: Target, counts: WeightCounts) -> InferenceCounts:
        return InferenceCounts(multiply_adds=(shape.n_tasks - 1) * (counts.inference or 0))

    def end_task(self, task: int, train: Split) -> None:
        """Keep nothing of the examples."""

    def infer(self, outputs: TaskOutputs) -> Tensor:
        return torch.stack([entropy(outputs.of_task(task)) for task in range(outputs.n_seen)]).argmin(dim=0)

    def state(self) -> dict[str, Any]:
        return {}

    def load_state(self, state: dict[str, Any]) -> None:
        pass


def entropy(outputs: Tensor) -> Tensor:
    """Return -sum p log p of the softmax p of outputs (n, C), in nats, (n,); 0 log 0 is 0."""
    of_classes: Tensor = torch.special.entr(torch.softmax(outputs, dim=1))
    return of_classes.sum(dim=1)
