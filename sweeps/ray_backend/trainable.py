"""What a Ray Tune worker runs: a job, whose messages it sends to the driver."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

from ray import tune

from sweeps.checkpoints import InMemory
from sweeps.jobs import Failure, Job, JobProgress, Message, Success
from sweeps.worker import work


class JobTrainable(tune.Trainable):
    """One job; the process is reused for further jobs, because importing torch is slow.

    What the job says within a moment travels together: a message costs some three milliseconds of processor time on its
    way to the driver. What the driver judges the trial by goes at once, and so does a checkpoint it is to keep.
    """

    work = staticmethod(work)
    moment_seconds = 0.1

    def setup(self, config: dict[str, Any]) -> None:
        job = Job.from_dict(json.loads(config["job"]))
        self._in_memory = InMemory(config.get("saved", {})) if job.via_driver else None
        self._messages: Iterator[Message] = self.work(job, self._in_memory)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        self.setup(new_config)
        return True

    def step(self) -> dict[str, Any]:
        began, messages = time.monotonic(), [next(self._messages)]
        while self._can_wait(messages[-1]) and time.monotonic() - began < self.moment_seconds:
            messages.append(next(self._messages))
        sent = [{"kind": type(message).__name__, **vars(message)} for message in messages]
        result = {"messages": json.dumps(sent), "done": not isinstance(messages[-1], JobProgress)}
        unsent = self._in_memory.take_unsent() if self._in_memory is not None else None
        return result if unsent is None else {**result, "checkpoint": unsent}

    def _can_wait(self, message: Message) -> bool:
        has_unsent = self._in_memory is not None and self._in_memory.unsent is not None
        return isinstance(message, JobProgress) and message.so_far is None and not has_unsent


def messages_of(result: dict[str, Any]) -> list[Message]:
    """What the driver finds in a result of `JobTrainable.step`."""
    return [_message(**content) for content in json.loads(result["messages"])]


def _message(kind: str, **content: Any) -> Message:
    if kind == "Success":
        return Success(tuple(content["results"]))
    return JobProgress(**content) if kind == "JobProgress" else Failure(**content)
