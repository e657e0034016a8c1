"""Choice of the job for a free worker, and of the workers that wait for jobs."""

from __future__ import annotations

from collections import Counter
from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest
from ray.tune.experiment import Trial

from sweeps.ray_backend.scheduler import SECONDS_TO_START, DriverScheduler

NUMBERS = count()


class Recorded:
    allowed = 4

    def idle_workers(self) -> int:
        return self.allowed

    def add(self, trial: Any) -> None: ...

    def receive(self, trial: Any, result: dict[str, Any]) -> bool:
        return result["continues"]  # type: ignore[no-any-return]

    def worker_died(self, trial: Any) -> None: ...


class Controller:
    """Tune's controller with its cache of idle workers."""

    def __init__(self) -> None:
        self.limits: Counter[str] = Counter()
        self._actor_cache = self
        self._may_keep_one = True

    def increase_max(self, key: str, by: int) -> None:
        self.limits[key] += by


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def controller() -> Controller:
    return Controller()


def trial(resources: str = "one CPU") -> Any:
    return SimpleNamespace(status=Trial.PENDING, placement_group_factory=resources, trial_id=str(next(NUMBERS)))


def test_a_free_worker_takes_the_newest_job_and_leaves_the_older_ones_to_the_workers_that_start_for_them(
    controller: Any,
) -> None:
    scheduler, jobs = DriverScheduler(Recorded()), [trial(), trial()]
    assert scheduler.choose_trial_to_run(controller) is None
    for one in jobs:
        scheduler.on_trial_add(controller, one)
    assert scheduler.choose_trial_to_run(controller) is jobs[1]
    assert controller.limits == {"one CPU": 4}, "all four workers may wait for their next job"
    assert scheduler.choose_trial_to_run(controller) is jobs[1], "asking changes nothing"
    jobs[1].status = Trial.RUNNING
    assert scheduler.choose_trial_to_run(controller) is jobs[0]
    jobs[0].status = Trial.RUNNING
    assert scheduler.choose_trial_to_run(controller) is None
    assert controller.limits == {"one CPU": 4}


def test_idle_workers_follow_the_receiver_down_to_none(controller: Any) -> None:
    receiver = Recorded()
    scheduler = DriverScheduler(receiver)
    scheduler.on_trial_add(controller, trial())
    for allowed in (4, 1, 0, 2):
        receiver.allowed = allowed
        scheduler.choose_trial_to_run(controller)
        assert controller.limits["one CPU"] == allowed


def test_no_idle_worker_is_kept_beyond_those_allowed(controller: Any) -> None:
    DriverScheduler(Recorded()).choose_trial_to_run(controller)
    assert not controller._may_keep_one


def test_idle_workers_end_when_a_job_of_other_resources_waits_for_theirs(controller: Any) -> None:
    clock = Clock()
    scheduler = DriverScheduler(Recorded(), clock)
    small, large = trial("one CPU"), trial("two CPUs")
    scheduler.on_trial_add(controller, small)
    small.status = Trial.RUNNING
    scheduler.on_trial_add(controller, large)
    scheduler.choose_trial_to_run(controller)
    assert controller.limits == {"one CPU": 4, "two CPUs": 4}
    clock.now += SECONDS_TO_START
    scheduler.choose_trial_to_run(controller)
    assert controller.limits == {"one CPU": 0, "two CPUs": 4}
    large.status = Trial.RUNNING
    scheduler.choose_trial_to_run(controller)
    assert controller.limits == {"one CPU": 4, "two CPUs": 4}
