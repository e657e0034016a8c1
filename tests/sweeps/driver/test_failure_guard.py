"""The guard that ends a sweep in which trials fail for reasons of their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import studies
from sweeps.driver.failure_guard import FailureGuard, Verdict
from sweeps.jobs import Failure, Job, Message
from sweeps.runner import Outcome, run_sweep
from sweeps.worker import work
from tests.sweeps.tiny import inline, tiny_spec


def verdict_after(ends: str, first: int = 5) -> Verdict | None:
    """Verdict after trials that failed (F) or did not (.)."""
    guard = FailureGuard(first)
    for number, end in enumerate(ends):
        if end == "F":
            guard.trial_failed(number, "ValueError: no", None)
        else:
            guard.trial_ended_well()
    return guard.verdict()


@pytest.mark.parametrize(
    ("ends", "finding"),
    [
        ("FFFF", None),
        ("FFFFF", "the first 5 trials failed"),
        (".FFFFF", None),
        ("." + "F." * 9, None),
        ("." + "F." * 9 + "FF", "11 of the last 20 trials failed"),
        ("." * 100 + "F" * 10, None),
        ("." * 100 + "F" * 11, "11 of the last 20 trials failed"),
        ("F" * 11 + "." * 40, None),
    ],
)
def test_the_first_five_or_more_than_half_of_the_last_twenty_failures_end_a_sweep(
    ends: str, finding: str | None
) -> None:
    verdict = verdict_after(ends)
    assert (None if verdict is None else verdict.finding) == finding


@given(st.text("F.", max_size=80), st.integers(0, 30))
def test_the_guard_agrees_with_its_definition(ends: str, first: int) -> None:
    newest = ends[-max(20, 2 * first) :]
    wanted = first > 0 and ((len(ends) >= first and "." not in ends) or newest.count("F") > max(20, 2 * first) / 2)
    assert (verdict_after(ends, first) is not None) == wanted


def test_the_commonest_reason_is_found_among_texts_that_differ_in_their_numbers() -> None:
    guard = FailureGuard(5)
    reasons = ["KeyError: 'x'", "ValueError: 0.1 is no rate", "KeyError: 'x'", "ValueError: 2e-5 is no rate"]
    for number, reason in enumerate([*reasons, "ValueError: -3 is no rate"]):
        guard.trial_failed(number, reason, f"traceback {number}")
    verdict = guard.verdict()
    assert verdict is not None
    assert (verdict.n_alike, verdict.n_failed) == (3, 5)
    assert (verdict.commonest.number, verdict.commonest.reason) == (4, "ValueError: -3 is no rate")
    assert verdict.commonest.traceback == "traceback 4"


def run(url: str, monkeypatch: pytest.MonkeyPatch, failure: Failure | None, **changes: Any) -> Outcome:
    """Run 7 trials inline, all of which fail if a failure is given."""

    def failing(job: Job) -> Iterator[Message]:
        yield from work(job) if failure is None else (failure,)

    monkeypatch.setattr("tests.sweeps.tiny.work", failing)
    return run_sweep(tiny_spec(budget={"trials": 7}, seeds=1, **changes), url, backend=inline)


OWN = Failure("KeyError: 'x'", "a traceback")


def test_a_sweep_stops_after_its_first_five_failures_and_continues_when_mended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = str(tmp_path / "a.db")
    outcome = run(url, monkeypatch, OWN)
    assert outcome.guarded is not None and outcome.guarded.commonest.traceback == "a traceback"
    assert (outcome.counters.failed, outcome.counters.asked) == (5, 5)
    mended = run(url, monkeypatch, None)
    assert mended.guarded is None
    assert (mended.counters.complete, mended.counters.failed) == (2, 5)


def test_no_failures_end_a_sweep_with_limit_zero(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = run(str(tmp_path / "a.db"), monkeypatch, OWN, limits={"failures": 0})
    assert (outcome.guarded, outcome.counters.failed) == (None, 7)


def test_a_study_that_was_not_mended_stops_again_by_limits_that_may_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = str(tmp_path / "a.db")
    assert run(url, monkeypatch, OWN, limits={"failures": 2}).counters.failed == 2
    assert run(url, monkeypatch, OWN, limits={"failures": 3}).counters.failed == 5


def test_failures_at_the_end_of_the_budget_are_no_reason_to_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome = run(str(tmp_path / "a.db"), monkeypatch, OWN, limits={"failures": 7})
    assert (outcome.guarded, outcome.counters.failed) == (None, 7)


@pytest.mark.slow
def test_workers_that_die_under_every_trial_stop_it_and_lost_nodes_do_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dies = run(str(tmp_path / "a.db"), monkeypatch, Failure("died", None, "worker"), limits={"retries": 1})
    assert dies.guarded is not None
    assert (dies.counters.failed, dies.guarded.commonest.reason) == (5, "gave up after 2 attempts: died")
    limits = {"preemptions": 1}
    lost = run(str(tmp_path / "b.db"), monkeypatch, Failure("its node was lost", None, "node"), limits=limits)
    assert (lost.guarded, lost.counters.failed, lost.counters.preempted) == (None, 7, 7)
    assert {row["attempt"] for row in studies.open(str(tmp_path / "b.db")).ledger("tiny")} == {2}


def test_a_trial_that_cannot_be_stored_counts_as_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise ValueError("refused")

    monkeypatch.setattr("sweeps.driver.driver.suggested_trial", refuse)
    outcome = run(str(tmp_path / "a.db"), monkeypatch, None)
    assert outcome.guarded is not None
    assert (outcome.counters.failed, outcome.guarded.commonest.reason) == (5, "ValueError: refused")
