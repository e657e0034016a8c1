"""Joint training: all tasks at once, every batch from one of them; an upper bound without forgetting."""

from __future__ import annotations

from typing import Any, ClassVar

from torch import Tensor

from hnet_core.methods.finetune import Finetune
from hnet_core.streams import StreamShape
from hnet_core.targets import Target
from hnet_core.trial import TrialConfig
from hnet_core.weights.sources import GeneratedWeights


class Joint(Finetune):
    """Fine-tuning on the mixture of all tasks, with the same total number of steps as the sequential methods.

    The accuracy matrix has only its last row: no evaluation takes place in between.
    """

    name = "joint"
    aliases = ("multitask",)
    summary = "all tasks at once (upper bound)"
    trains_all_tasks_at_once: ClassVar[bool] = True

    class Options(Finetune.Options):
        pass

    @classmethod
    def keeps_networks(cls, options: Any) -> bool:
        return cls.uses_hypernet(options)

    @staticmethod
    def unsupported(config: TrialConfig, shape: StreamShape, target: Target) -> str | None:
        if config.training.engine == "fast":
            return "cannot be trained by training.engine fast: it mixes tasks; use auto or plain"
        return None

    def start_task(self, task: int) -> None:
        parameters = (
            [*self.source.theta, *self.source.embeddings]
            if isinstance(self.source, GeneratedWeights)
            else self.source.parameters(task)
        )
        self._optimizer = self.problem.optimizer(parameters)

    def step(self, task: int, inputs: Tensor, labels: Tensor) -> None:
        self._optimizer.zero_grad()  # an embedding that takes no part in this batch must not move by an old gradient
        loss = self.problem.task_loss(task, self.source.weights(task), inputs, labels)
        loss.backward()
        self._optimizer.step()
