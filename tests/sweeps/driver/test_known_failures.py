"""Configurations that failed: not trained again when asked for again, trained again after `hnet study retry`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import studies
from studies.database.open_database import connect
from studies.store.admin import retry_trials
from studies.store.store import Store
from sweeps import worker
from sweeps.jobs import Failure, Job
from sweeps.runner import Outcome, run_sweep
from tests.sweeps.tiny import inline, tiny_spec

BAD = 50
SPEC = tiny_spec(search={"hypernet.chunk_size": {"choice": [BAD, 100]}}, budget={"trials": 3}, seeds=1)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'runs.db'}"


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """Chunk sizes for which training raises an error; empty it and they train."""
    sizes, real = {BAD}, worker._train
    monkeypatch.setattr("sweeps.driver.driver.MAX_ASKS_WITHOUT_TRAINING", 8)

    def train(job: Job, *more: Any) -> Iterator[Any]:
        if job.config["hypernet"]["chunk_size"] in sizes:
            raise RuntimeError("no luck")
        yield from real(job, *more)

    monkeypatch.setattr(worker, "_train", train)
    return sizes


def run(url: str) -> Outcome:
    return run_sweep(SPEC, url, backend=inline)


def of_bad(url: str) -> list[dict[str, Any]]:
    rows = studies.open(url).ledger(SPEC.study)
    return [dict(row) for row in rows if row["params"]["hypernet.chunk_size"] == BAD]


@pytest.mark.usefixtures("failing")
def test_a_configuration_that_failed_fails_at_once_as_a_duplicate_outside_the_budget(url: str) -> None:
    for _ in range(2):  # a resumed sweep knows it too
        counters = run(url).counters
        assert (counters.asked, counters.complete, counters.failed) == (2, 1, 1)
        first, *others = of_bad(url)
        assert (first["state"], first["duplicate_of"]) == ("FAILED", None)
        assert others
        for row in others:
            assert (row["state"], row["duplicate_of"]) == ("FAILED", first["number"])
            reason = f"the same configuration failed as trial {first['number']}: RuntimeError: no luck"
            assert row["reason"] == reason


SLOW = [pytest.param(which, marks=pytest.mark.slow) for which in ("original", "duplicate")]


@pytest.mark.parametrize("which", ["all", *SLOW])
def test_after_a_retry_a_configuration_that_failed_is_trained_once(url: str, failing: set[int], which: str) -> None:
    run(url)
    first, second, *_ = (row["number"] for row in of_bad(url))
    failing.clear()
    chosen = {"all": [], "original": [first], "duplicate": [second]}[which]
    queued = retry_trials(connect(url), SPEC.study, chosen)
    assert run(url).counters.running == set()
    rows = {row["number"]: row for row in of_bad(url)}
    assert [rows[number]["state"] for number in queued] == ["COMPLETE"] * len(queued)
    trained = [number for number in queued if rows[number]["duplicate_of"] is None]
    assert trained == queued[:1]


def test_trials_of_one_configuration_that_failed_each_for_itself_are_retried(url: str, failing: set[int]) -> None:
    run(url)
    numbers = [row["number"] for row in of_bad(url)]
    with connect(url).begin() as connection:  # as earlier versions left them
        connection.exec_driver_sql("UPDATE trial SET duplicate_of = NULL WHERE state = 'FAILED'")
    failing.clear()
    assert retry_trials(connect(url), SPEC.study) == numbers
    run(url)
    rows = {row["number"]: row for row in of_bad(url)}
    assert {rows[number]["state"] for number in numbers} == {"COMPLETE"}
    assert [rows[number]["duplicate_of"] for number in numbers] == [None, *[numbers[0]] * (len(numbers) - 1)]


def test_a_configuration_whose_worker_died_is_trained_when_it_is_asked_for_again(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "work", lambda job, *more: iter([Failure("the worker process died", None, "worker")]))
    spec = tiny_spec(search={"hypernet.chunk_size": {"choice": [BAD]}}, budget={"trials": 2}, limits={"retries": 0})
    monkeypatch.setattr("tests.sweeps.tiny.work", worker.work)
    run_sweep(spec, url, backend=inline)
    rows = studies.open(url).ledger(spec.study)
    assert [(row["state"], row["duplicate_of"]) for row in rows] == [("FAILED", None)] * 2
    assert {row["reason"] for row in rows} == {"gave up after 1 attempts: the worker process died"}


@pytest.mark.slow
def test_a_duplicate_that_was_interrupted_ends_as_its_original(url: str, failing: set[int]) -> None:
    run(url)
    _, interrupted, *_ = of_bad(url)
    with connect(url).begin() as connection:
        connection.exec_driver_sql(
            f"UPDATE trial SET state = 'RUNNING', finished_at = NULL WHERE number = {interrupted['number']}"
        )
    run(url)
    assert {row["state"] for row in of_bad(url)} == {"FAILED"}
    assert Store(connect(url)).attempt_of(1, interrupted["number"]) == 2
