"""Messages of a worker, and resuming after it was killed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hnet_core.stacked import progress_of
from hnet_core.trial import TrialResult
from sweeps.checkpoints import InMemory, from_bytes, open_checkpoints
from sweeps.jobs import Job, JobProgress, Message, Success
from sweeps.worker import latest_checkpoints, work
from tests.hnet_core.tiny import tiny

SEEDS = (0, 1, 2)
Uninterrupted = dict[bool, list[dict[str, Any]]]


def job(folder: Path, stack_seeds: bool | str, seeds: tuple[int, ...] = SEEDS) -> Job:
    config = tiny(training={"iterations": 3, "stack_seeds": stack_seeds}).model_dump(mode="json")
    return Job(0, 1, config, seeds, data_root=str(folder), checkpoints=str(folder / "checkpoints"))


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Uninterrupted:
    """The results of a worker that is not killed, by whether it stacks the seeds."""
    folder = tmp_path_factory.mktemp("uninterrupted")
    return {choice: results(list(work(job(folder / str(choice), choice)))) for choice in (True, False)}


def results(messages: list[Message]) -> list[dict[str, Any]]:
    last = messages[-1]
    assert isinstance(last, Success), last
    changing = ("seconds", "peak_memory_mib")
    return [{key: value for key, value in found.items() if key not in changing} for found in last.results]


@pytest.mark.parametrize("stack_seeds", [True, False])
def test_every_task_of_every_seed_is_reported_and_every_seed_has_its_result(tmp_path: Path, stack_seeds: bool) -> None:
    messages = list(work(job(tmp_path, stack_seeds)))
    steps = [message for message in messages if isinstance(message, JobProgress)]
    assert [step.tasks_done for step in steps] == list(range(1, 16))
    assert sorted(step.seed for step in steps) == sorted(SEEDS * 5)
    assert {step.tasks_in_all for step in steps} == {15}
    assert [step.seed for step in steps[:3]] == ([0, 1, 2] if stack_seeds else [0, 0, 0])
    assert [found["seed"] for found in results(messages)] == list(SEEDS)


def test_stacked_seeds_give_the_rows_of_seeds_trained_one_after_the_other(uninterrupted: Uninterrupted) -> None:
    for ours, theirs in zip(uninterrupted[True], uninterrupted[False], strict=True):
        assert {**ours, "test": 0, "validation": 0} == {**theirs, "test": 0, "validation": 0}
        for split in ("test", "validation"):
            rows = zip(ours[split], theirs[split], strict=True)
            assert all(a == pytest.approx(b, abs=0.05) for a, b in rows), "float32: up to some single images"


@pytest.mark.parametrize("stack_seeds", [True, False])
@pytest.mark.parametrize("n_seen", [1, 4, 8])
def test_a_killed_worker_is_resumed_to_the_same_rows(
    tmp_path: Path, stack_seeds: bool, n_seen: int, uninterrupted: Uninterrupted
) -> None:
    killed = work(job(tmp_path / "killed", stack_seeds))
    for _ in range(n_seen):
        next(killed)
    again = list(work(job(tmp_path / "killed", stack_seeds)))
    assert results(again) == uninterrupted[stack_seeds]
    first = again[0]
    assert isinstance(first, JobProgress) and first.tasks_done > n_seen, "what was done is not done again"


@pytest.mark.parametrize("stack_seeds", [True, False])
@pytest.mark.parametrize("n_seen", [1, 2, 3, 8, 20])
def test_a_worker_killed_within_a_task_goes_on_from_its_last_step(
    tmp_path: Path, stack_seeds: bool, n_seen: int, uninterrupted: Uninterrupted
) -> None:
    often = replace(job(tmp_path / "killed", stack_seeds), checkpoint_minutes=1e-9)
    killed = work(often)
    seen = [next(killed) for _ in range(n_seen)]
    newest = latest_checkpoints(open_checkpoints(often.checkpoints))
    again = list(work(replace(often, checkpoint_minutes=60)))
    assert results(again) == uninterrupted[stack_seeds]
    n_tasks = max(message.tasks_done for message in seen if isinstance(message, JobProgress))
    first = again[0]
    assert isinstance(first, JobProgress) and first.tasks_done == n_tasks + 1, "what was done is not done again"
    if n_seen <= 3:
        assert {progress_of(checkpoint) for checkpoint in newest.values()} == {(0, n_seen)}


def test_checkpoints_within_a_task_travel_through_the_driver(tmp_path: Path) -> None:
    often = replace(job(tmp_path, False, (0,)), checkpoint_minutes=1e-9)
    memory = InMemory({})
    messages = work(often, memory)
    for step in (1, 2):
        next(messages)
        name, content = memory.take_unsent() or ("", b"")
        assert progress_of(from_bytes(content)[0]) == (0, step)
    resumed = list(work(often, InMemory({name: content})))
    assert results(resumed) == results(list(work(often, InMemory({}))))


def test_seeds_that_stopped_at_different_tasks_are_resumed(tmp_path: Path, uninterrupted: Uninterrupted) -> None:
    """The first attempt ran where seeds are not stacked, the second where they are."""
    killed = work(job(tmp_path / "killed", False))
    for _ in range(7):  # seed 0 is done, seed 1 has two tasks, seed 2 none
        next(killed)
    messages = list(work(job(tmp_path / "killed", True)))
    assert [step.seed for step in messages if isinstance(step, JobProgress)] == [1] * 3 + [2] * 5
    assert results(messages) == uninterrupted[False]
    assert [TrialResult.from_dict(found).seed for found in messages[-1].results] == list(SEEDS)  # type: ignore[union-attr]
