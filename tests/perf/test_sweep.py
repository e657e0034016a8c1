"""The cost of the service apart from training: rows of the driver, and a long study with its final check."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

import studies
from perf import noop, sweep


@pytest.mark.slow
def test_the_driver_has_one_row_per_block_and_asking_is_part_of_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep, "BLOCK", 2)
    rows = sweep.driver_rows(4, "random")
    assert [(row.what, row.after_trials) for row in rows] == [("driver, random", 2), ("driver, random", 4)]
    assert all(0 < row.ask_ms < row.cpu_ms and row.rest_ms == row.cpu_ms - row.ask_ms for row in rows)


@pytest.mark.slow
def test_a_configuration_asked_for_again_is_a_finished_trial_of_its_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep, "BLOCK", 3)
    monkeypatch.setitem(noop.SPEC, "search", {"method.beta_output": {"choice": [0.1, 0.2, 0.3]}})
    rows = sweep.driver_rows(3, "random")
    assert len(rows) == 1 and rows[0].after_trials > 3


@pytest.mark.slow
def test_a_long_study_ends_checked_and_with_the_size_of_its_database(tmp_path: Path) -> None:
    ended = sweep.endurance(3, "random", str(tmp_path / "long.db"))
    assert (ended.database, ended.trials, ended.complete, ended.problems) == ("sqlite", 3, 3, 0)
    with sqlite3.connect(tmp_path / "long.db") as connection:  # what is still in the write-ahead log goes into the file
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert ended.database_mib == (tmp_path / "long.db").stat().st_size / 2**20
    assert len(studies.open(str(tmp_path / "long.db")).trials("noop-random-3")) == 3


@pytest.mark.slow
def test_the_size_of_a_database_on_a_server_is_asked_of_the_server(empty_postgres: str) -> None:
    ended = sweep.endurance(1, "random", empty_postgres)
    assert (ended.database, ended.complete, ended.problems) == ("postgresql", 1, 0)
    assert ended.database_mib > 5


@pytest.mark.slow
def test_the_time_of_processes_that_have_ended_is_not_forgotten() -> None:
    burn = "import time\nwhile time.process_time() < 0.3: pass"
    code = f"import subprocess, sys, time\nsubprocess.Popen([sys.executable, '-c', {burn!r}])\ntime.sleep(1.5)"
    with subprocess.Popen([sys.executable, "-c", code]) as process:
        clock = sweep._TreeClock(process.pid)
        while process.poll() is None:
            clock.look()
            time.sleep(0.02)
    assert clock.seconds >= 0.2
