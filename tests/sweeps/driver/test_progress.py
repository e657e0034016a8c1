from __future__ import annotations

import io
import logging
import os
import re
from types import SimpleNamespace
from typing import Any

import pytest

from sweeps.driver import progress
from sweeps.driver.counters import Counters
from sweeps.driver.progress import SweepProgress
from sweeps.jobs import Failure, JobProgress, Success
from tests.sweeps.tiny import tiny_spec


@pytest.fixture
def driver() -> Any:
    counters = Counters(complete=2, failed=1, skipped=1, running={3, 4})
    counters.objectives = {0: (0.9, 0.5), 1: (0.8, 0.2), 2: (0.7, 0.4)}
    return SimpleNamespace(spec=tiny_spec(budget={"trials": 10}), counters=counters)


def test_the_line_counts_what_is_done_running_and_failed_and_names_the_best(driver: Any) -> None:
    line = SweepProgress(driver, io.StringIO()).line()
    assert line == (
        "3/10 done | 2 running | 1 failed | 1 skipped | best final_accuracy 0.9 at compression_ratio 0.5 | front 2"
    )


def test_the_best_is_one_that_compresses_where_a_reference_does_not(driver: Any) -> None:
    driver.counters.objectives[5] = (0.95, 1.0)
    assert "best final_accuracy 0.9 at compression_ratio 0.5 | front 3" in SweepProgress(driver, io.StringIO()).line()
    driver.counters.objectives = {5: (0.95, 1.0), 6: (0.5, 1.5)}
    assert "best final_accuracy 0.95 at compression_ratio 1 | front 1" in SweepProgress(driver, io.StringIO()).line()


def test_rate_and_eta_wait_for_three_finished_trials(driver: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 10.0, 20.0, 30.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    driver.counters.complete = driver.counters.failed = 0
    watched = SweepProgress(driver, io.StringIO())
    for number in range(3):
        assert "ETA" not in watched.line()
        watched.note(number, Failure("its node was lost", None, "node"), continues=False)  # a further attempt follows
        driver.counters.complete += 1
        watched.note(number, Success(()), continues=False)
    assert "6.0 trials/min | ETA 70 s" in watched.line()
    watched.note(3, JobProgress(3, seed=0, tasks_done=5, tasks_in_all=10), continues=True)
    assert "ETA 65 s" in watched.line()


def test_a_stream_that_is_no_terminal_gets_a_line_periodically_and_one_at_the_end(
    driver: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", 0.01)
    stream = io.StringIO()
    with SweepProgress(driver, stream) as watched:
        while stream.getvalue().count("\n") < 3:
            pass
        driver.counters.complete = 9
        assert watched.line().startswith("10/10")
    assert stream.getvalue().splitlines()[-1].startswith("10/10 done")
    assert "\x1b" not in stream.getvalue()


def test_a_resumed_sweep_shows_its_counts_at_once(driver: Any) -> None:
    stream = io.StringIO()
    with SweepProgress(driver, stream):
        assert stream.getvalue().startswith("3/10 done | 2 running")


def test_on_a_terminal_the_bar_begins_with_the_counts_and_log_lines_are_lines_of_their_own(driver: Any) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    stream = Terminal()
    handler, log = logging.StreamHandler(stream), logging.getLogger("hnet")
    log.addHandler(handler)
    try:
        with SweepProgress(driver, stream):
            log.warning("trial 5 failed: [no] luck :a:")
        assert handler.stream is stream
    finally:
        log.removeHandler(handler)
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", stream.getvalue()).replace("\r", "\n")
    assert "3/10 done | 2 running" in shown
    assert "trial 5 failed: [no] luck :a:" in shown.splitlines()


def test_a_terminal_of_80_columns_shows_every_part_of_the_line(driver: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("COLUMNS", "80")
    stream = Terminal()
    with SweepProgress(driver, stream) as watched:
        live = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", stream.getvalue())
        for part in watched.line().split(" | "):
            assert part in live
    assert max(map(len, live.splitlines())) <= 80


def test_a_sweep_whose_output_nobody_reads_any_more_goes_on(driver: Any) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w", buffering=1) as stream, SweepProgress(driver, stream) as watched:
        driver.counters.complete += 1
        watched.note(3, Success(()), continues=False)


def test_without_a_feasible_trial_the_line_names_the_constraints_and_the_nearest_values(driver: Any) -> None:
    driver.spec = tiny_spec(constraints={"final_accuracy": ">= 0.99", "compression_ratio": "<= 0.3"})
    driver.counters.objectives = {}
    driver.counters.infeasible = {0: (0.9, (0.2, 0.4)), 1: (0.8, (0.29, 0.4))}
    line = SweepProgress(driver, io.StringIO()).line()
    assert line.endswith("| none of 2 keeps final_accuracy >= 0.99 and compression_ratio <= 0.3 (nearest 0.29, 0.4)")
    driver.counters.objectives = {2: (0.5, 0.2)}
    assert (
        SweepProgress(driver, io.StringIO())
        .line()
        .endswith("best final_accuracy 0.5 at compression_ratio 0.2 | front 1")
    )
