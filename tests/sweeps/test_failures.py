"""Failures around a trial: dead workers, limits, full disks, and an unreachable database."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import optuna
import pytest
import torch

import studies
from hnet_core.errors import HnetError
from hnet_core.runtime.devices import NoGpu, pick_device
from studies.database.connections import DatabaseUnreachable
from studies.spec.continuation import fixed_part
from studies.spec.spec import Limits
from studies.store.store import Store
from sweeps.checkpoints import Folder
from sweeps.driver.database_retry import DatabaseRetry
from sweeps.driver.driver import Driver
from sweeps.failures import failure_of
from sweeps.jobs import Failure, Success
from sweeps.ray_backend.watchdog import Watchdog
from sweeps.runner import run_sweep
from sweeps.worker import work
from tests.sweeps.tiny import inline, tiny_spec

DIED = Failure("the worker process died", None, "worker")


@pytest.fixture
def url(tmp_path: Path) -> str:
    return str(tmp_path / "runs.db")


@pytest.fixture
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sweeps.driver.database_retry.time.sleep", lambda seconds: None)


def rows(url: str) -> list[tuple[int, str, int]]:
    return [(row["number"], row["state"], row["attempt"]) for row in studies.open(url).ledger("tiny")]


def killing_worker(times: int) -> Any:
    """A backend in which the worker of trial 0 dies so many times, each time after one task."""

    def backend(driver: Driver, workers: int, address: str | None, on_message: Callable[..., bool]) -> None:
        deaths = 0
        while (job := driver.next_job()) is not None:
            for message in work(job):
                if job.number == 0 and deaths < times:
                    deaths += 1
                    on_message(0, DIED)
                    break
                on_message(job.number, message)

    return backend


def test_a_worker_that_dies_leads_to_a_further_attempt_with_its_own_number(url: str, finished: Path) -> None:
    assert run_sweep(tiny_spec(), url, backend=killing_worker(2)).counters.complete == 3
    assert rows(url) == [(0, "COMPLETE", 3), (1, "COMPLETE", 1), (2, "COMPLETE", 1)]
    again, undisturbed = (studies.open(one).runs("tiny")["final_accuracy"].tolist() for one in (url, str(finished)))
    assert again == undisturbed


def test_a_trial_whose_worker_dies_too_often_fails_with_the_reason(url: str) -> None:
    outcome = run_sweep(tiny_spec(limits={"retries": 2}), url, backend=killing_worker(3))
    assert (outcome.counters.complete, outcome.counters.failed) == (2, 1)
    assert rows(url)[0] == (0, "FAILED", 3)
    assert studies.open(url).ledger("tiny")[0]["reason"] == "gave up after 3 attempts: the worker process died"


def test_a_full_disk_stops_the_sweep_with_nothing_lost(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Folder, name: str, content: bytes) -> None:
        if content:  # there was room while the sweep began
            raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("sweeps.checkpoints.Folder.write", full)
        with pytest.raises(HnetError, match=r"trial 0 cannot continue: OSError.*No space left.*on node .*start again"):
            run_sweep(tiny_spec(), url, backend=inline)
    assert rows(url) == [(0, "RUNNING", 1)]
    assert run_sweep(tiny_spec(), url, backend=inline).counters.complete == 3
    assert rows(url)[0] == (0, "COMPLETE", 2)


def test_out_of_memory_is_retried_and_another_error_is_not(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    errors = [MemoryError("no more"), RuntimeError("mistake\nin two lines")]

    def train(*arguments: Any) -> Any:
        if errors:
            raise errors.pop(0)
        yield from real(*arguments)

    from sweeps import worker

    real = worker._train
    monkeypatch.setattr("sweeps.worker._train", train)
    outcome = run_sweep(tiny_spec(), url, backend=inline)
    assert (outcome.counters.complete, outcome.counters.failed) == (2, 1)
    first = studies.open(url).ledger("tiny")[0]
    assert (first["state"], first["attempt"], first["reason"]) == ("FAILED", 2, "RuntimeError: in two lines")
    assert "Traceback (most recent call last)" in first["traceback"] and "mistake" in first["traceback"]


def test_the_watchdog_ends_trials_that_take_too_long_and_retries_silent_ones() -> None:
    now = [0.0]
    watchdog = Watchdog(Limits(trial_minutes=10, task_minutes=3), clock=lambda: now[0])
    watchdog.start(7)
    now[0] = 170
    watchdog.start(7)
    assert watchdog.overdue() == {}
    now[0] = 190
    assert watchdog.overdue()[7].kind == "worker"
    watchdog.message_received(7)
    assert watchdog.overdue() == {}
    watchdog.stop(7)  # its worker died; the next attempt adds to its time
    now[0] = 1000
    watchdog.start(7)
    now[0] = 1000 + 600 - 190 + 1
    watchdog.message_received(7)
    assert watchdog.overdue()[7] == Failure("took longer than limits.trial_minutes: 10")


def test_without_a_limit_a_worker_hangs_when_it_is_silent_for_five_times_the_slowest_trial_of_its_method() -> None:
    now = [0.0]
    watchdog = Watchdog(Limits(), clock=lambda: now[0])
    for number, minutes in enumerate((1, 4, 2)):
        watchdog.expect(number, "hnet")
        watchdog.start(number)
        now[0] += 60 * 60  # this one hangs, which teaches nothing: before three have finished who knows
        assert watchdog.overdue() == {}
        watchdog.stop(number)
        watchdog.start(number)
        now[0] += 60 * minutes
        watchdog.complete(number)
    watchdog.expect(7, "hnet")
    watchdog.expect(8, "joint")  # of which nothing has finished yet
    for minutes in (20, 40):  # the second time twice as long
        watchdog.start(7)
        watchdog.start(8)
        watchdog.message_received(7)
        now[0] += 60 * minutes
        assert watchdog.overdue() == {}
        now[0] += 1
        assert list(watchdog.overdue()) == list(watchdog.overdue()) == [7]
        hung = watchdog.overdue()[7]
        assert hung.kind == "worker" and f"within {minutes} minutes, while entire trials took 4.0" in hung.reason
        watchdog.stop(7)


def test_without_a_limit_short_trials_still_leave_ten_minutes() -> None:
    now = [0.0]
    watchdog = Watchdog(Limits(), clock=lambda: now[0])
    for number in range(3):
        watchdog.start(number)
        now[0] += 5
        watchdog.complete(number)
    watchdog.start(7)
    now[0] += 600
    assert watchdog.overdue() == {}
    now[0] += 1
    assert list(watchdog.overdue()) == [7]


def test_limits_may_change_when_a_study_is_resumed() -> None:
    assert fixed_part(tiny_spec(limits={"retries": 9}).to_dict()) == fixed_part(tiny_spec().to_dict())


UNREACHABLE = DatabaseUnreachable("the database must answer, got: connection refused; check the address.")


@pytest.mark.usefixtures("no_pause")
@pytest.mark.parametrize("done_before_it_failed", [True, False])
@pytest.mark.parametrize("call", ["start_trial", "complete_trial"])
def test_an_interrupted_write_is_repeated_and_counts_once(
    url: str, monkeypatch: pytest.MonkeyPatch, call: str, done_before_it_failed: bool, caplog: pytest.LogCaptureFixture
) -> None:
    real, failures = getattr(Store, call), [UNREACHABLE, UNREACHABLE]

    def unreliable(self: Store, *arguments: Any, **more: Any) -> None:
        if failures:
            if done_before_it_failed and len(failures) == 2:
                real(self, *arguments, **more)
            raise failures.pop()
        real(self, *arguments, **more)

    monkeypatch.setattr(Store, call, unreliable)
    run_sweep(tiny_spec(), url, backend=inline)
    assert rows(url) == [(number, "COMPLETE", 1) for number in range(3)]
    assert caplog.text.count("Waiting up to 10 min for the database") == 1


@pytest.mark.usefixtures("no_pause")
@pytest.mark.parametrize("done_before_it_failed", [True, False])
def test_an_interrupted_ask_leaves_no_trial_behind(
    url: str, monkeypatch: pytest.MonkeyPatch, done_before_it_failed: bool
) -> None:
    real, failures = optuna.Study.ask, [True]

    def unreliable(self: optuna.Study, *arguments: Any) -> Any:
        if failures:
            failures.pop()
            if done_before_it_failed:
                real(self, *arguments)
            raise optuna.exceptions.StorageInternalError("gone")
        return real(self, *arguments)

    monkeypatch.setattr(optuna.Study, "ask", unreliable)
    run_sweep(tiny_spec(), url, backend=inline)
    assert rows(url) == [(number, "COMPLETE", 1) for number in range(3)]


@pytest.mark.usefixtures("no_pause")
def test_retries_of_the_database_end() -> None:
    calls = []

    def unreachable() -> None:
        calls.append(1)
        raise UNREACHABLE

    with pytest.raises(DatabaseUnreachable):
        DatabaseRetry(lambda: len(calls) == 5)(unreachable)
    assert len(calls) == 5
    with pytest.raises(DatabaseUnreachable):
        DatabaseRetry(lambda: False, seconds=0)(unreachable)
    with pytest.raises(ValueError, match="a mistake"):
        DatabaseRetry(lambda: False)(lambda: (_ for _ in ()).throw(ValueError("a mistake")))


def test_a_result_of_a_superseded_attempt_is_refused_and_ends_the_driver(url: str) -> None:
    def overtaken(driver: Driver, workers: int, address: str | None, on_message: Callable[..., bool]) -> None:
        job = driver.next_job()
        assert job is not None
        driver.store.retry_trial(driver.study.id, job.number, 5)  # as another driver would after a lost lease
        for message in work(job):
            if isinstance(message, Success):
                with pytest.raises(HnetError, match="runs as attempt 5, got attempt 1"):
                    on_message(job.number, message)

    run_sweep(tiny_spec(), url, backend=overtaken)
    assert rows(url) == [(0, "RUNNING", 5)]


@pytest.mark.slow
def test_a_slow_sampler_is_not_taken_for_a_database_that_does_not_answer(
    url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    import time

    real = optuna.Study.ask

    def slow(self: optuna.Study, *arguments: Any) -> Any:
        time.sleep(0.2)
        return real(self, *arguments)

    monkeypatch.setattr("sweeps.driver.database_retry.SECONDS_UNTIL_WARNING", 0.1)
    monkeypatch.setattr(optuna.Study, "ask", slow)
    run_sweep(tiny_spec(), url, backend=inline)
    assert caplog.text.count("The sampler random takes more than 10 s to suggest a trial.") == 1


CUDA = "CUDA error: {}\nCUDA kernel errors might be asynchronously reported.\nCompile with `TORCH_USE_CUDA_DSA`"


@pytest.mark.parametrize(
    "text",
    [
        CUDA.format("an illegal memory access was encountered"),
        CUDA.format("device-side assert triggered"),
        "CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling `cublasSgemm( handle, ...)`",
        "cuDNN error: CUDNN_STATUS_EXECUTION_FAILED",
        "CUDA driver error: unknown error",
    ],
)
def test_a_broken_gpu_context_is_a_failure_of_the_worker_with_the_first_line_as_reason(text: str) -> None:
    for error in (RuntimeError(text), torch.AcceleratorError(text)):
        failure = failure_of(error)
        assert (failure.kind, failure.reason) == ("worker", f"{type(error).__name__}: {text.splitlines()[0]}")


def test_an_error_that_only_mentions_a_gpu_is_of_the_trial() -> None:
    text = "Expected all tensors to be on the same device, but found at least two devices, cuda:0 and cpu!"
    assert failure_of(RuntimeError(text)).kind == "trial"
    assert failure_of(ValueError("CUDA error: of a plug-in")).kind == "trial"


def test_a_gpu_that_is_missing_where_the_trial_runs_stops_the_sweep_and_names_the_node() -> None:
    with pytest.raises(NoGpu) as raised:
        pick_device("cuda")
    failure = failure_of(raised.value)
    assert failure.kind == "environment"
    assert failure.reason.endswith(f"(on node {socket.gethostname()})")


def test_a_trial_larger_than_the_memory_of_its_worker_fails_with_both_numbers(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hnet_core.memory_estimate.training_memory", lambda device: 1000)
    outcome = run_sweep(tiny_spec(), url, backend=inline)
    assert outcome.counters.failed == 3
    reason = studies.open(url).ledger("tiny")[0]["reason"]
    assert "training takes at least" in reason and "and there are 1000 bytes" in reason


def losing_node(times: int) -> Any:
    """A backend in which the node under trial 0 is lost so many times, each time after one task."""

    def backend(driver: Driver, workers: int, address: str | None, on_message: Callable[..., bool]) -> None:
        losses = 0
        while (job := driver.next_job()) is not None:
            for message in work(job):
                if job.number == 0 and losses < times:
                    losses += 1
                    on_message(0, Failure("the node of the worker was lost", None, "node"))
                    break
                on_message(job.number, message)

    return backend


def test_lost_nodes_do_not_use_up_the_retries(url: str) -> None:
    outcome = run_sweep(tiny_spec(limits={"retries": 0}), url, backend=losing_node(5))
    assert (outcome.counters.complete, outcome.counters.failed, outcome.counters.preempted) == (3, 0, 5)
    assert rows(url)[0] == (0, "COMPLETE", 6)


def test_lost_nodes_have_a_limit_of_their_own(url: str) -> None:
    outcome = run_sweep(tiny_spec(limits={"preemptions": 2}), url, backend=losing_node(3))
    assert outcome.counters.failed == 1
    reason = studies.open(url).ledger("tiny")[0]["reason"]
    assert reason == "gave up after 3 attempts: the node of the worker was lost"


def test_a_resumed_sweep_counts_lost_nodes_apart_from_dead_drivers(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sweeps.driver.reconcile.MAX_ATTEMPTS", 3)

    def lost_three_times_then_killed(
        driver: Driver, workers: int, address: str | None, on_message: Callable[..., bool]
    ) -> None:
        for _ in range(3):
            job = driver.next_job()
            assert job is not None
            on_message(job.number, Failure("lost", None, "node"))
        driver.next_job()

    for _ in range(2):  # attempts 1 to 4, and 5 to 8, of which six are those of the nodes
        run_sweep(tiny_spec(), url, backend=lost_three_times_then_killed)
    run_sweep(tiny_spec(), url, backend=inline)
    assert rows(url)[0] == (0, "COMPLETE", 9)
