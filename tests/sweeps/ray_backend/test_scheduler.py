"""Choice of the job for a free worker."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from ray.tune.experiment import Trial

from sweeps.ray_backend.scheduler import DriverScheduler


class Recorded:
    def __init__(self) -> None:
        self.added: list[Any] = []

    def add(self, trial: Any) -> None:
        self.added.append(trial)

    def receive(self, trial: Any, result: dict[str, Any]) -> bool:
        return result["continues"]  # type: ignore[no-any-return]

    def worker_died(self, trial: Any) -> None: ...


def trial() -> Any:
    return SimpleNamespace(status=Trial.PENDING, placement_group_factory="one CPU")


def test_a_free_worker_takes_the_newest_job_and_leaves_the_older_ones_to_the_workers_that_start_for_them() -> None:
    room: list[tuple[str, int]] = []
    cache = SimpleNamespace(increase_max=lambda key, by: room.append((key, by)))
    controller, scheduler, jobs = (
        SimpleNamespace(_actor_cache=cache),
        DriverScheduler(Recorded(), 4),
        [trial(), trial()],
    )
    assert scheduler.choose_trial_to_run(controller) is None
    for one in jobs:
        scheduler.on_trial_add(controller, one)
    assert room == [("one CPU", 4)], "all four workers may wait for their next job"
    assert scheduler.choose_trial_to_run(controller) is jobs[1]
    assert scheduler.choose_trial_to_run(controller) is jobs[1], "asking changes nothing"
    jobs[1].status = Trial.RUNNING
    assert scheduler.choose_trial_to_run(controller) is jobs[0]
    jobs[0].status = Trial.RUNNING
    assert scheduler.choose_trial_to_run(controller) is None
