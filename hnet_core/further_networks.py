"""Networks of a run that are trained once the method's own steps on a task are done, with checkpoints between steps."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from hnet_core.methods import Method
from hnet_core.methods.protocol import TrainsAfterwards
from hnet_core.optimization.further_training import FurtherTraining
from hnet_core.runtime.within_task import WithinTask
from hnet_core.streams import Split
from hnet_core.task_inference import TaskInference


class FurtherNetworks:
    """The generators and networks that method and task inference train after the method's own steps.

    They are numbered in the order of their training. In a checkpoint are the state before the first step on one, from
    which `FurtherTraining.start` makes snapshots and the like, and the state at its last step.
    """

    def __init__(self, method: Method, inference: TaskInference | None) -> None:
        self._method, self._inference = method, inference
        self._resumed: dict[str, Any] | None = None
        self.start_task()

    @property
    def resumes(self) -> bool:
        """True in a resumed run until it has come to the network that was in training at the interruption."""
        return self._resumed is not None

    def start_task(self) -> None:
        """Number the networks of the next task from 0."""
        self._numbers = itertools.count()
        self._in_training: _InTraining | None = None

    def steps(self, task: int, train: Split) -> Iterator[None]:
        """Train them on the examples of a task; yields after every gradient step."""
        parts: tuple[object, ...] = (self._method, self._inference)
        for part in parts:
            if isinstance(part, TrainsAfterwards):
                for training in part.training_after(task, train):
                    yield from self._train(next(self._numbers), part, training)

    def _train(self, number: int, part: Any, training: FurtherTraining) -> Iterator[None]:
        resumed = self._resumed
        if resumed is not None and number < resumed["number"]:
            return
        made, before, step = WithinTask(() if resumed is None else resumed["made"]), self._state(), 0
        with made:
            training.start()
        if resumed is not None:
            part.load_state(resumed["part"])
            step, self._resumed = resumed["step"], None
        self._in_training = now = _InTraining(number, part, before, made, step)
        for index in itertools.islice(training.indices, step, None):
            with made:
                training.step(index)
            now.step += 1
            yield
        self._in_training = None

    def checkpoint(self) -> dict[str, Any]:
        """Return the entries of a checkpoint within a task; {} during the method's own steps."""
        now = self._in_training
        if now is None:
            return {}
        further = {
            "number": now.number,
            "step": now.step,
            "made": now.made.states(),
            "part": now.part.state(),
            "task_inference": now.before["task_inference"],
        }
        return {"method": now.before["method"], "further": further}

    def resume(self, further: dict[str, Any]) -> None:
        """Continue with the steps after a `checkpoint`; the method is to have the state in it by then."""
        self._resumed = further
        if self._inference is not None:
            self._inference.load_state(further["task_inference"])

    def _state(self) -> dict[str, Any]:
        inference = {} if self._inference is None else self._inference.state()
        return {"method": self._method.state(), "task_inference": inference}


class _InTraining:
    """The network in training: its number, the part that trains it, the state before the first step, and the step."""

    def __init__(self, number: int, part: Any, before: dict[str, Any], made: WithinTask, step: int) -> None:
        self.number, self.part, self.before, self.made, self.step = number, part, before, made, step
