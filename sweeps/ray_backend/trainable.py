"""The Ray Tune trainable: runs a job and sends its messages to the driver."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from typing import Any

from ray import tune

from sweeps.checkpoints import InMemory
from sweeps.failures import failure_of
from sweeps.jobs import Failure, Job, JobProgress, Message, Success
from sweeps.worker import work


class JobTrainable(tune.Trainable):
    """One job; the process is reused for further jobs, because importing torch is slow.

    Messages within `batch_seconds` are sent together: each result costs about 3 ms of processor time on its way to the
    driver. A result that the driver judges is sent at once, and so is a checkpoint that it stores.

    Job and messages are JSON text within Ray's dicts: Tune takes each value of a nested config as a hyperparameter, and
    each number of a nested result as a metric of which it keeps statistics. Text is passed through unchanged.
    """

    work = staticmethod(work)
    batch_seconds = 0.1

    def setup(self, config: dict[str, Any]) -> None:
        job = Job.from_dict(json.loads(config["job"]))
        self._in_memory = InMemory(config.get("saved", {})) if job.via_driver else None
        self._messages: Iterator[Message] = self.work(job, self._in_memory)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        self.setup(new_config)
        return True

    def step(self) -> dict[str, Any]:
        started, messages = time.monotonic(), [next(self._messages)]
        while self._may_batch(messages[-1]) and time.monotonic() - started < self.batch_seconds:
            messages.append(next(self._messages))
        try:
            sent = _encode(messages)
        except (TypeError, ValueError) as error:  # a result that holds no plain numbers
            messages = [failure_of(error)]
            sent = _encode(messages)
        result = {"messages": sent, "done": not isinstance(messages[-1], JobProgress)}
        unsent = self._in_memory.take_unsent() if self._in_memory is not None else None
        return result if unsent is None else {**result, "checkpoint": unsent}

    def _may_batch(self, message: Message) -> bool:
        has_unsent = self._in_memory is not None and self._in_memory.unsent is not None
        return isinstance(message, JobProgress) and message.so_far is None and not has_unsent


def _encode(messages: Sequence[Message]) -> str:
    return json.dumps([{"kind": type(message).__name__, **vars(message)} for message in messages])


def messages_of(result: dict[str, Any]) -> list[Message]:
    """Decode the messages in a result of `JobTrainable.step`; a Failure in place of those that cannot be read."""
    try:
        return [_message(**content) for content in json.loads(result["messages"])]
    except Exception as error:
        return [failure_of(error)]


def _message(kind: str, **content: Any) -> Message:
    if kind == "Success":
        return Success(tuple(content["results"]))
    return JobProgress(**content) if kind == "JobProgress" else Failure(**content)
