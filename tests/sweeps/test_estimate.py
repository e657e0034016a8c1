"""The estimate of `hnet sweep check`: steps after the first ones, scaled up; and what it warns of."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sweeps import estimate as module
from sweeps.allocation import Node
from sweeps.estimate import estimate, seconds_per_run
from tests.sweeps.tiny import SPEC, tiny_spec

ROOT = Path("unused")


class Clock:
    now = 0.0

    def perf_counter(self) -> float:
        return self.now


class FakeRun:
    """Four tasks; the first step of all takes 30 s, that of each task 1 s, the others 10 ms times the task.

    To measure a task takes 0.25 s.
    """

    steps_made = 0
    n_tasks = 4
    has_validation = True
    clock = Clock()
    tasks_done = 0

    def __init__(self, config: Any, seed: int, root: Path) -> None:
        self.iterations = config.training.iterations

    @property
    def finished(self) -> bool:
        return self.tasks_done == self.n_tasks

    def steps(self) -> Iterator[None]:
        self.clock.now += 0.5
        yield
        for i in range(self.iterations):
            first = 30.0 if FakeRun.steps_made == 0 else 1.0
            FakeRun.steps_made += 1
            self.clock.now += first if i == 0 else 0.01 * (1 + self.tasks_done)
            yield

    def finish_task(self, seconds: float) -> None:
        self.tasks_done += 1
        self.clock.now += 0.25 * self.tasks_done


@pytest.mark.parametrize("limit", [1000.0, 0.0])
def test_first_steps_do_not_count_and_every_task_is_measured_with_all_before_it(
    limit: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeRun, "steps_made", 0)
    monkeypatch.setattr(module, "time", FakeRun.clock)
    monkeypatch.setattr(module, "TrialRun", FakeRun)
    monkeypatch.setattr(module, "steps_per_task", lambda config, root: (config.training.iterations,) * 4)
    monkeypatch.setattr(module, "seconds_since", lambda start, device: FakeRun.clock.now - start)
    monkeypatch.setattr(module, "TIMED_SECONDS", limit)
    config = tiny_spec(trial={**SPEC["trial"], "training": {"iterations": 2000}}).config()
    step_seconds = [20.0, 40.0, 60.0, 80.0] if limit else [20.0] * 4
    assert seconds_per_run(config, ROOT) == pytest.approx(sum(step_seconds) + 4 * 0.5 + (1 + 2 + 3 + 4) * 0.25)


def test_validations_in_training_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    class Validated(FakeRun):
        def validate(self, tasks: range) -> float:
            self.clock.now += 2.0 * len(tasks)
            return 0.5

    monkeypatch.setattr(FakeRun, "steps_made", 1)
    monkeypatch.setattr(module, "time", FakeRun.clock)
    monkeypatch.setattr(module, "TrialRun", Validated)
    monkeypatch.setattr(module, "steps_per_task", lambda config, root: (config.training.iterations,) * 4)
    monkeypatch.setattr(module, "seconds_since", lambda start, device: FakeRun.clock.now - start)
    monkeypatch.setattr(module, "TIMED_SECONDS", 1000.0)
    training = {"iterations": 250, "select": "best_validation"}
    often = tiny_spec(trial={**SPEC["trial"], "training": training}).config()
    never = tiny_spec(trial={**SPEC["trial"], "training": {"iterations": 250}}).config()
    difference = seconds_per_run(often, ROOT) - seconds_per_run(never, ROOT)
    assert difference == pytest.approx(4 * 3 * 2.0), "after 100, 200 and 250 iterations of each task"


def test_a_method_that_trains_all_tasks_at_once_is_timed_too() -> None:
    joint = tiny_spec(trial={**SPEC["trial"], "method": {"name": "joint"}}, search={"training.lr": {"float": [0.1, 1]}})
    assert 0 < seconds_per_run(joint.config(), ROOT) < 60


def warnings(seeds: int = 3, workers: int = 1, **changes: Any) -> list[str]:
    found: list[str] = estimate(tiny_spec(seeds=seeds, **changes), ROOT, workers)["warnings"]
    return found


def test_one_or_two_seeds_are_warned_of_as_giving_no_usable_interval() -> None:
    assert not warnings(seeds=3)
    assert "no interval" in warnings(seeds=1)[0]
    assert "two seeds (n = 2) give no usable interval" in warnings(seeds=2)[0]


def test_more_workers_than_cores_or_memory_are_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "available_cpus", lambda: 4)
    assert not warnings(workers=4)
    assert warnings(workers=5) == ["5 workers share the 4 CPU cores that this process may use; take fewer"]
    threaded = {**SPEC["trial"], "training": {**SPEC["trial"]["training"], "threads": 3}}
    assert "2 workers with 3 threads each share the 4" in warnings(workers=2, trial=threaded)[0]
    monkeypatch.setattr(module, "training_memory", lambda device: 1000)
    assert "of memory together, and there are 1000 bytes" in warnings()[0]


def test_more_workers_than_cores_do_not_make_the_sweep_faster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "available_cpus", lambda: 2)
    monkeypatch.setattr(module, "seconds_per_run", lambda config, root: 60.0)
    minutes = [estimate(tiny_spec(seeds=2), ROOT, workers)["estimated_minutes"] for workers in (1, 2, 8)]
    assert minutes == [6.0, 3.0, 3.0]


def test_what_only_some_trials_can_reach_is_among_the_warnings() -> None:
    (doubt,) = warnings(constraints={"compression_ratio": "<= 0.01"})
    assert "keeps compression_ratio <= 0.01" in doubt


ON_GPU = {**SPEC["trial"], "training": {"iterations": 3, "batch_size": 16, "device": "cuda"}}


def test_a_training_for_a_gpu_is_checked_and_timed_on_a_machine_without_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr(module, "this_machine", lambda: Node(8, 0, 2**40))
    timed: list[str] = []
    monkeypatch.setattr(module, "seconds_per_run", lambda config, root: timed.append(config.training.device) or 1.0)
    found = estimate(tiny_spec(trial=ON_GPU, seeds=3), ROOT)
    assert timed == ["cpu"]
    assert found["resources"] == ["1 CPU, 1 GPU"]
    assert "this machine has no GPU: the time is that of its CPU" in found["warnings"][0]


def test_workers_and_resources_of_a_trial_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "this_machine", lambda: Node(8, 0, 2**40))
    monkeypatch.setattr(module, "available_cpus", lambda: 8)
    monkeypatch.setattr(module, "seconds_per_run", lambda config, root: 60.0)
    found = estimate(tiny_spec(resources={"cpus": 3, "memory": "1 GiB"}, seeds=2), ROOT)
    assert (found["workers"], found["resources"], found["estimated_minutes"]) == (2, ["3 CPUs, 1 GiB"], 3.0)
    too_much = estimate(tiny_spec(resources={"memory": "2048 GiB"}), ROOT)["warnings"]
    assert any("resources.memory must be at most the 1 TiB" in line for line in too_much)
