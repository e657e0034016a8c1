"""The Ray Tune trainable: runs a job and sends its messages to the driver."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator, Sequence
from typing import Any

from ray import tune

from hnet_core.runtime.devices import release_gpu_memory
from sweeps.checkpoints import InMemory
from sweeps.failures import failure_of
from sweeps.jobs import Failure, Job, JobProgress, Message, Success
from sweeps.ray_backend.lost_workers import WorkerBroken
from sweeps.worker import work


class JobTrainable(tune.Trainable):
    """One job; the process is reused for further jobs, because importing torch is slow.

    Not after a failure of kind "worker", such as a broken CUDA context: an exception makes Tune replace the process.

    Messages within `batch_seconds` are sent together: each result costs about 3 ms of processor time on its way to the
    driver. A result that the driver judges is sent at once, and so is a checkpoint that it stores.

    Job and messages are JSON text within Ray's dicts: Tune takes each value of a nested config as a hyperparameter, and
    each number of a nested result as a metric of which it keeps statistics. Text is passed through unchanged.
    """

    work = staticmethod(work)
    batch_seconds = 0.1

    def setup(self, config: dict[str, Any]) -> None:
        self._release()
        self._broken: WorkerBroken | None = None
        job = Job.from_dict(json.loads(config["job"]))
        self._in_memory = InMemory(config.get("saved", {})) if job.via_driver else None
        self._messages: Iterator[Message] = self.work(job, self._in_memory)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        self.setup(new_config)
        return True

    def step(self) -> dict[str, Any]:
        if self._broken is not None:
            raise self._broken
        messages = self._next_messages()
        unsent = self._in_memory.take_unsent() if self._in_memory is not None else None
        last = messages[-1]
        if isinstance(last, Failure) and last.kind == "worker":
            self._broken = WorkerBroken(last)
            del messages[-1]
            if not messages and unsent is None:
                raise self._broken  # else in the next step, since an exception leaves out everything else
        is_done = self._broken is None and not isinstance(last, JobProgress)
        if is_done:
            self._release()
        result = {"messages": _encode(messages), "done": is_done}
        return result if unsent is None else {**result, "checkpoint": unsent}

    def _next_messages(self) -> list[Message]:
        """Train until the next message that cannot wait."""
        started, messages = time.monotonic(), [next(self._messages)]
        while self._may_batch(messages[-1]) and time.monotonic() - started < self.batch_seconds:
            messages.append(next(self._messages))
        return messages

    def _release(self) -> None:
        """End the job, which may have been stopped midway, and free what it holds of the GPU."""
        self._messages = iter(())
        with contextlib.suppress(RuntimeError):  # of a GPU that the finished job broke: the next one shows it
            release_gpu_memory()

    def _may_batch(self, message: Message) -> bool:
        has_unsent = self._in_memory is not None and self._in_memory.unsent is not None
        return isinstance(message, JobProgress) and message.so_far is None and not has_unsent


def _encode(messages: Sequence[Message]) -> str:
    """Messages as text; a Failure in place of those that hold no plain values."""
    try:
        return json.dumps([{"class": type(message).__name__, **vars(message)} for message in messages])
    except (TypeError, ValueError) as error:
        return _encode([failure_of(error)])


def messages_of(result: dict[str, Any]) -> list[Message]:
    """Decode the messages in a result of `JobTrainable.step`; a Failure in place of those that cannot be read."""
    try:
        return [_message(content) for content in json.loads(result["messages"])]
    except Exception as error:
        return [failure_of(error)]


def _message(content: dict[str, Any]) -> Message:
    name = content.pop("class")
    if name == "Success":
        return Success(tuple(content["results"]))
    return JobProgress(**content) if name == "JobProgress" else Failure(**content)
