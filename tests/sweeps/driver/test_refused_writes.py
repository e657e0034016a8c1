"""A message or write that fails for its content fails its trial; only what every trial needs ends the sweep."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from optuna.exceptions import StorageInternalError
from sqlalchemy.exc import DataError, OperationalError

import studies
from studies.store.store import Store
from sweeps.driver.database_retry import DatabaseRetry
from sweeps.driver.driver import Driver
from sweeps.failures import failure_of
from sweeps.jobs import Success
from sweeps.runner import run_sweep
from sweeps.worker import work
from tests.sweeps.tiny import inline, tiny_spec

REFUSED = DataError("INSERT", {}, Exception("value out of range"))


@pytest.fixture
def url(tmp_path: Path) -> str:
    return str(tmp_path / "runs.db")


def states(url: str) -> list[str]:
    return [row["state"] for row in studies.open(url).ledger("tiny")]


@pytest.mark.parametrize("error", [REFUSED, OverflowError("Python int too large"), KeyError("x")])
@pytest.mark.parametrize("call", ["complete_trial", "start_trial"])
def test_a_write_that_the_database_refuses_fails_that_trial(
    url: str, monkeypatch: pytest.MonkeyPatch, call: str, error: Exception
) -> None:
    real, refused = getattr(Store, call), []

    def refusing(self: Store, study_id: int, number: int, *more: Any, **options: Any) -> None:
        if number == 1 and not refused:
            refused.append(number)
            raise error
        real(self, study_id, number, *more, **options)

    monkeypatch.setattr(Store, call, refusing)
    outcome = run_sweep(tiny_spec(), url, backend=inline)
    assert (outcome.counters.complete, outcome.counters.failed, outcome.counters.running) == (2, 1, set())
    assert states(url) == ["COMPLETE", "FAILED", "COMPLETE"]
    row = studies.open(url).ledger("tiny")[1]
    assert row["reason"] == failure_of(error).reason
    assert type(error).__name__ in str(row["traceback"])


@pytest.mark.parametrize("results", [({},), ("no result",), ()])
def test_a_message_that_cannot_be_read_fails_its_trial(url: str, results: Any) -> None:
    def broken(driver: Driver, workers: int, address: str | None, on_message: Callable[..., bool]) -> None:
        while (job := driver.next_job()) is not None:
            if job.number == 1:
                assert not on_message(1, Success(results))
                continue
            for message in work(job):
                on_message(job.number, message)

    run_sweep(tiny_spec(), url, backend=broken)
    assert states(url) == ["COMPLETE", "FAILED", "COMPLETE"]


def test_a_configuration_that_cannot_be_built_fails_its_trial(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from sweeps.driver import driver

    real = driver.suggested_trial
    calls: list[int] = []

    def build(*arguments: Any) -> Any:
        calls.append(1)
        if len(calls) == 2:
            raise ZeroDivisionError("no weights")
        return real(*arguments)

    monkeypatch.setattr(driver, "suggested_trial", build)
    run_sweep(tiny_spec(), url, backend=inline)
    assert states(url) == ["COMPLETE", "FAILED", "COMPLETE"]
    assert studies.open(url).ledger("tiny")[1]["reason"] == "ZeroDivisionError: no weights"


def test_only_an_outage_of_the_database_of_the_sampler_is_retried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sweeps.driver.database_retry.time.sleep", lambda seconds: None)
    for cause, n_calls in ((REFUSED, 1), (OperationalError("", {}, Exception("gone")), 3)):
        calls: list[int] = []

        def call(cause: Exception = cause, calls: list[int] = calls) -> None:
            calls.append(1)
            raise StorageInternalError("the commit failed") from cause

        with pytest.raises(Exception, match=r"the commit failed|gone"):
            DatabaseRetry(lambda calls=calls: len(calls) == 3)(call)  # type: ignore[misc]
        assert len(calls) == n_calls


def test_an_exception_that_cannot_print_itself_is_described() -> None:
    class Broken(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no text")

    assert failure_of(Broken()).reason == "Broken: (its text cannot be read: RuntimeError)"
