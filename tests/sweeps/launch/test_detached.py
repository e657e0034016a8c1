"""Detached processes: they outlive their parent, are found again, and their log is read from its end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sweeps.launch.detached import TAIL_BYTES, DetachedSweeps, StartedSweep, state_folder

STARTS_AND_DIES = """
import os, sys
from pathlib import Path
from sweeps.launch.detached import DetachedSweeps
command = [sys.executable, "-c", "import time; print('begun', flush=True); time.sleep(60)"]
started = DetachedSweeps(Path(sys.argv[1])).start(command, os.environ, ["a/b"], "preset", "quickstart", {"trials": 2})
os.kill(os.getpid(), 9)
"""


def wait_until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.02)


def start(sweeps: DetachedSweeps, code: str, study: str = "mine") -> StartedSweep:
    return sweeps.start([sys.executable, "-c", code], os.environ, [study], "preset", "quickstart", {})


@pytest.mark.slow
def test_a_process_outlives_the_one_that_started_it_and_is_found_again(tmp_path: Path) -> None:
    parent = subprocess.run(
        [sys.executable, "-c", STARTS_AND_DIES, str(tmp_path)], stdin=subprocess.DEVNULL, check=False
    )
    assert parent.returncode == -signal.SIGKILL
    sweeps = DetachedSweeps(tmp_path)
    (found,) = sweeps
    assert found == sweeps.find("a/b")
    assert (found.studies, found.source, found.values) == (("a/b",), "quickstart", {"trials": 2})
    wait_until(lambda: sweeps.log_tail(found) == "begun")
    assert found.is_alive
    assert os.getsid(found.pid) == found.pid, "it has no session of its own"
    os.kill(found.pid, signal.SIGKILL)
    wait_until(lambda: not found.is_alive)


def test_an_ended_process_is_not_alive_while_its_parent_lives(tmp_path: Path) -> None:
    started = start(DetachedSweeps(tmp_path), "")
    wait_until(lambda: not started.is_alive)


def test_a_further_start_goes_on_in_the_log_unless_it_is_forgotten(tmp_path: Path) -> None:
    sweeps = DetachedSweeps(tmp_path)
    for text in ("one", "two"):
        started = start(sweeps, f"print('{text}')")
        wait_until(lambda: not started.is_alive)  # noqa: B023
    assert sweeps.log_tail(started) == "one\ntwo"
    sweeps.forget("mine")
    assert sweeps.log_size(started) == 0
    assert sweeps.log_tail(started) == ""
    assert len(list(sweeps)) == 1


def test_of_a_long_log_the_end_is_read_without_control_characters_and_passwords(tmp_path: Path) -> None:
    sweeps = DetachedSweeps(tmp_path)
    started = start(sweeps, "")
    lines = [f"line {number} \x1b[31m postgresql://me:secret@host/db" for number in range(5000)]
    (tmp_path / started.log).write_text("\n".join([*lines, "end \ufffd"]))
    tail = sweeps.log_tail(started)
    assert len(tail) < 2 * TAIL_BYTES
    assert tail.endswith("end \ufffd")
    assert "\x1b" not in tail
    assert "secret" not in tail
    assert all(line.startswith(("line ", "end")) for line in tail.splitlines())


def test_its_files_are_readable_by_their_owner_alone_and_names_are_no_paths(tmp_path: Path) -> None:
    sweeps = DetachedSweeps(tmp_path / "state")
    for study in ("../x", "x", "/etc/passwd", "..", "a\u202eb"):
        started = start(sweeps, "", study)
        assert "/" not in started.log
        assert (tmp_path / "state" / started.log).stat().st_mode & 0o77 == 0
    assert (tmp_path / "state").stat().st_mode & 0o77 == 0
    assert len(list(sweeps)) == 5


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", json.dumps({"studies": ["x"]}), "\0"])
def test_a_damaged_note_of_a_start_is_no_start(tmp_path: Path, content: str) -> None:
    sweeps = DetachedSweeps(tmp_path)
    start(sweeps, "")
    (path,) = tmp_path.glob("*.json")
    path.write_text(content)
    assert sweeps.find("mine") is None
    assert list(sweeps) == []


def test_each_database_has_a_folder_of_its_own_whichever_way_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    assert (
        state_folder("runs.db")
        == state_folder(str(tmp_path / "runs.db"))
        == state_folder(f"sqlite:///{tmp_path}/runs.db")
    )
    assert state_folder("runs.db") != state_folder("other.db")
    postgres = state_folder("postgresql://me:secret@host/db")
    assert postgres == state_folder("postgresql://me:other@host/db") != state_folder("postgresql://me@host/another")
    assert postgres.is_relative_to(tmp_path / "state")
