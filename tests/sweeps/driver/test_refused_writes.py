"""A message or write that fails for its content fails its trial; only what every trial needs ends the sweep."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import optuna
import pytest
from optuna.exceptions import StorageInternalError
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import DataError, OperationalError

import studies
from studies.database.connections import DatabaseUnreachable
from studies.store.store import Store
from sweeps.driver.database_retry import DatabaseRetry
from sweeps.driver.driver import Driver
from sweeps.failures import failure_of
from sweeps.jobs import Success
from sweeps.runner import run_sweep
from sweeps.search.cached_storage import CachedStorage
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


@pytest.mark.slow
@pytest.mark.parametrize("n_refused", [1, 2])
def test_a_result_that_the_sampler_refuses_stays_stored_and_the_sweep_goes_on(
    url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, n_refused: int
) -> None:
    """Refused once, the trial is FAIL for the sampler; refused again, the next start tells it."""
    real, told = CachedStorage.set_trial_state_values, []

    def refusing(self: CachedStorage, trial_id: int, state: Any, values: Any = None) -> bool:
        if state.is_finished() and trial_id == 2 and len(told) < n_refused:
            told.append(state.name)
            raise StorageInternalError("the commit failed") from REFUSED
        return real(self, trial_id, state, values)

    monkeypatch.setattr(CachedStorage, "set_trial_state_values", refusing)
    outcome = run_sweep(tiny_spec(), url, backend=inline)
    assert (outcome.counters.complete, outcome.counters.failed) == (3, 0)
    assert states(url) == ["COMPLETE"] * 3
    assert told == ["COMPLETE", "FAIL"][:n_refused]
    assert "trial 1 is stored, but the sampler refuses its result" in caplog.text
    run_sweep(tiny_spec(budget={"trials": 4}), url, backend=inline)
    assert states(url) == ["COMPLETE"] * 4
    ends = [trial.state.name for trial in optuna.load_study(study_name=None, storage=f"sqlite:///{url}").trials]
    assert ends == ["COMPLETE", "FAIL" if n_refused == 1 else "COMPLETE", "COMPLETE", "COMPLETE"]


@pytest.mark.slow
@pytest.mark.parametrize("is_granted_again", [True, False])
def test_a_driver_without_its_rights_waits_for_them_and_ends_with_the_grant_if_they_stay_away(
    empty_postgres: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, is_granted_again: bool
) -> None:
    owner = create_engine(make_url(empty_postgres).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    name = f"writer_{uuid.uuid4().hex[:8]}"
    guest = make_url(empty_postgres).set(username=name, password="secret").render_as_string(hide_password=False)
    rights = "SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public"
    sequences = "USAGE ON ALL SEQUENCES IN SCHEMA public"

    def execute(*statements: str) -> None:
        with owner.connect() as connection:
            for statement in statements:
                connection.execute(text(statement))

    def interrupted(driver: Driver, *arguments: Any) -> None:
        execute(f"REVOKE {rights} FROM {name}")
        driver.recorder._retry._seconds = 60 if is_granted_again else 0
        try:
            inline(driver, *arguments)
        finally:
            execute(f"GRANT {rights} TO {name}")

    def granted(seconds: float) -> None:
        execute(f"GRANT {rights} TO {name}")

    run_sweep(tiny_spec(budget={"trials": 1}), empty_postgres, backend=inline)  # makes the tables
    execute(f"CREATE ROLE {name} LOGIN PASSWORD 'secret'", f"GRANT {rights} TO {name}", f"GRANT {sequences} TO {name}")
    if is_granted_again:
        clock = SimpleNamespace(monotonic=time.monotonic, sleep=granted)  # it sleeps between two tries
        monkeypatch.setattr("sweeps.driver.database_retry.time", clock)
        run_sweep(tiny_spec(), guest, backend=interrupted)
        assert states(empty_postgres) == ["COMPLETE"] * 3
        assert f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {name}" in caplog.text
    else:
        with pytest.raises(DatabaseUnreachable, match=f"permission denied.*GRANT SELECT, INSERT.* TO {name}") as error:
            run_sweep(tiny_spec(), guest, backend=interrupted)
        assert error.value.exit_code == 5
        run_sweep(tiny_spec(), guest, backend=inline)
        assert states(empty_postgres) == ["COMPLETE"] * 3
    owner.dispose()


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
