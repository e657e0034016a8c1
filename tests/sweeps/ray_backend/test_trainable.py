"""Batching of a worker's messages on Ray."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from sweeps.checkpoints import InMemory
from sweeps.jobs import Failure, Job, JobProgress, Message, Success
from sweeps.ray_backend.trainable import JobTrainable, messages_of


class Clock:
    """A clock that the script of the worker sets."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("sweeps.ray_backend.trainable.time", clock)
    return clock


def step(tasks_done: int, **more: Any) -> JobProgress:
    return JobProgress(number=3, seed=0, tasks_done=tasks_done, tasks_in_all=5, **more)


SUCCESS = Success(({"seed": 0},))


def sent(
    script: Sequence[tuple[float, Message]], clock: Clock, via_driver: bool = False, checkpoint_after: int = -1
) -> list[list[Message]]:
    """Messages in each result of a job, given the seconds before each message."""

    def work(job: Job, checkpoints: InMemory | None) -> Iterator[Message]:
        for i, (seconds, message) in enumerate(script):
            clock.now += seconds
            if checkpoints is not None and i == checkpoint_after:
                checkpoints.write("seed-0", b"weights")
            yield message

    job = Job(3, 1, {}, (0,), data_root="", checkpoints="", via_driver=via_driver)
    trainable = JobTrainable.__new__(type("Scripted", (JobTrainable,), {"work": staticmethod(work)}))
    trainable.setup({"job": json.dumps(job.to_dict())})
    results = []
    while not results or not results[-1]["done"]:
        results.append(trainable.step())
    assert [i for i, result in enumerate(results) if "checkpoint" in result] == ([0] if checkpoint_after >= 0 else [])
    return [messages_of(result) for result in results]


def test_messages_within_a_short_time_are_sent_together(clock: Clock) -> None:
    script = [(0.0, step(1)), (0.01, step(2)), (0.01, SUCCESS)]
    assert sent(script, clock) == [[step(1), step(2), SUCCESS]]


def test_a_long_task_is_reported_at_once(clock: Clock) -> None:
    script: list[tuple[float, Message]] = [(2 * JobTrainable.batch_seconds, step(done)) for done in (1, 2)]
    assert sent([*script, (20.0, Failure("no more"))], clock) == [[step(1)], [step(2)], [Failure("no more")]]


def test_a_result_that_the_driver_judges_is_sent_at_once(clock: Clock) -> None:
    judged = step(1, so_far={"test": []})
    assert sent([(0.0, judged), (0.0, step(2)), (0.0, SUCCESS)], clock) == [[judged], [step(2), SUCCESS]]


def test_a_checkpoint_for_the_driver_is_sent_at_once(clock: Clock) -> None:
    script = [(0.0, step(1)), (0.0, step(2)), (0.0, SUCCESS)]
    assert sent(script, clock, via_driver=True, checkpoint_after=0) == [[step(1)], [step(2), SUCCESS]]
