"""RPL-UB: rehearsal of real images of all earlier tasks, the upper bound of replay."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from pydantic import Field
from torch import Tensor

from hnet_core.hypernets import Hypernet
from hnet_core.methods.base import BaseMethod
from hnet_core.problem import Problem
from hnet_core.rehearsal.classifier import Distillation, RehearsedClassifier
from hnet_core.rehearsal.inputs import RealInputs
from hnet_core.streams import Split, StreamShape
from hnet_core.targets import Target
from hnet_core.trial import ComponentOptions, TrialConfig


class RealReplay(BaseMethod):
    """HNET+R with training images of the earlier tasks in place of samples, their targets soft as well.

    RPL-UB of "Continual learning with hypernetworks" (ICLR 2020, https://arxiv.org/abs/1906.00695), Table 2: the
    classifier, the loss and the number of rehearsed inputs of each task are those of method hnet_replay. It keeps all
    data, and is an upper bound, not a method of continual learning.
    """

    name = "real_replay"
    summary = "rehearsal of real images of all earlier tasks (upper bound of replay, RPL-UB)"
    page = "replay"
    uses_engine = True
    tested_options: ClassVar[tuple[dict[str, Any], ...]] = ({},)

    class Options(ComponentOptions):
        replay_weight: float = Field(
            0.5, ge=0, lt=1, description="w, of the rehearsed images in the loss, from the second task on"
        )
        temperature: float = Field(2.0, gt=0, description="T of the soft targets")

    def __init__(self, options: Options, problem: Problem) -> None:
        self.options = options
        self.problem = problem
        self.classifier = RehearsedClassifier(problem, Distillation(options.temperature, "logits"))
        self.source = self.classifier.source
        self._earlier: Sequence[Split] = ()

    @staticmethod
    def unsupported(config: TrialConfig, shape: StreamShape, target: Target) -> str | None:
        return None if shape.measure == "accuracy" else "rehearses soft targets of classes, and the stream has none"

    @staticmethod
    def multiply_adds(options: Options, target: Target, hypernet: Hypernet | None, batch_size: int, task: int) -> int:
        rehearsed = task * -(-batch_size // task) if task else 0
        return 3 * target.multiply_adds(batch_size + rehearsed) + target.multiply_adds(rehearsed)

    def read_earlier(self, earlier: Sequence[Split]) -> None:
        self._earlier = earlier

    def start_task(self, task: int) -> None:
        inputs = RealInputs(self._earlier, self.problem, self.problem.training.batch_size) if task else None
        self.classifier.start_task(task, 1 - self.options.replay_weight if task else 1.0, inputs)

    def step(self, task: int, inputs: Tensor, labels: Tensor) -> None:
        self.classifier.step(inputs, labels)
