"""Batching of a worker's messages on Ray."""

from __future__ import annotations

import json
import pickle
import weakref
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from sweeps.checkpoints import InMemory
from sweeps.jobs import Failure, FailureKind, Job, JobProgress, Message, Success
from sweeps.ray_backend.lost_workers import WorkerBroken
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
    trainable = scripted(script, clock, via_driver, checkpoint_after)
    results: list[dict[str, Any]] = []
    while not results or not results[-1]["done"]:
        results.append(trainable.step())
    assert [i for i, result in enumerate(results) if "checkpoint" in result] == ([0] if checkpoint_after >= 0 else [])
    return [messages_of(result) for result in results]


def scripted(
    script: Sequence[tuple[float, Message]], clock: Clock, via_driver: bool = False, checkpoint_after: int = -1
) -> JobTrainable:
    """A trainable whose job sends these messages, each after some seconds."""

    def work(job: Job, checkpoints: InMemory | None) -> Iterator[Message]:
        for i, (seconds, message) in enumerate(script):
            clock.now += seconds
            if checkpoints is not None and i == checkpoint_after:
                checkpoints.write("seed-0", b"weights")
            yield message

    job = Job(3, 1, {}, (0,), data_root="", checkpoints="", via_driver=via_driver)
    trainable = JobTrainable.__new__(type("Scripted", (JobTrainable,), {"work": staticmethod(work)}))
    trainable.setup({"job": json.dumps(job.to_dict())})
    return trainable


@pytest.mark.parametrize("kind", ["trial", "environment", "node"])
def test_a_failure_keeps_its_kind_on_its_way_to_the_driver(clock: Clock, kind: FailureKind) -> None:
    failure = Failure("no more", "a traceback", kind)
    assert sent([(0.0, step(1)), (0.0, failure)], clock) == [[step(1), failure]]


def test_a_result_that_is_no_json_is_a_failure(clock: Clock) -> None:
    ((failure,),) = sent([(0.0, Success(({"seed": {1, 2}},)))], clock)
    assert isinstance(failure, Failure) and "not JSON serializable" in failure.reason


def test_a_worker_that_can_train_no_more_raises_so_that_it_is_replaced(clock: Clock) -> None:
    broken = Failure("CUDA error: an illegal memory access was encountered", None, "worker")
    trainable = scripted([(0.0, broken)], clock)
    with pytest.raises(WorkerBroken) as raised:
        trainable.step()
    assert raised.value.failure == pickle.loads(pickle.dumps(raised.value)).failure == broken


@pytest.mark.parametrize("via_driver", [False, True])
def test_what_a_broken_worker_has_done_before_is_sent_first(clock: Clock, via_driver: bool) -> None:
    broken = Failure("CUDA error: unspecified launch failure", None, "worker")
    trainable = scripted([(0.0, step(1)), (0.0, broken)], clock, via_driver, checkpoint_after=0)
    result = trainable.step()
    assert (messages_of(result), result["done"], "checkpoint" in result) == ([step(1)], False, via_driver)
    with pytest.raises(WorkerBroken):
        trainable.step()


def test_memory_of_the_gpu_is_released_between_jobs(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    alive: list[weakref.ref[Any]] = []
    released: list[bool] = []
    monkeypatch.setattr(
        "sweeps.ray_backend.trainable.release_gpu_memory", lambda: released.append(not any(ref() for ref in alive))
    )

    class Model:
        """Stands for tensors on a GPU."""

    def work(job: Job, checkpoints: InMemory | None) -> Iterator[Message]:
        model = Model()
        alive.append(weakref.ref(model))
        yield step(1, so_far={})
        yield SUCCESS

    trainable = JobTrainable.__new__(type("Scripted", (JobTrainable,), {"work": staticmethod(work)}))
    config = {"job": json.dumps(Job(3, 1, {}, (0,), data_root="", checkpoints="").to_dict())}
    trainable.setup(config)
    trainable.step()
    assert trainable.step()["done"]
    assert released == [True, True], "held after the end of the job"
    trainable.reset_config(config)
    trainable.step()  # the driver ends it here
    trainable.reset_config(config)
    assert released == [True] * 4, "held when a job that was stopped midway was replaced"


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
