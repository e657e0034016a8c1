"""A SQLite database worked on in a local copy: what is copied back, when, and what is refused."""

from __future__ import annotations

import json
import shutil
import sqlite3
import stat
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from hnet_core.errors import ConfigInvalid
from studies.database.open_database import connect
from studies.store import working_copy as module
from studies.store.store import Store
from studies.store.working_copy import DatabaseHeld, request_stop, working_copy, working_process
from tests.sweeps.tiny import SPEC


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SECONDS_BETWEEN_COPIES", 0.05)
    monkeypatch.setattr(module, "SECONDS_BETWEEN_LOOKS", 0.01)


def names(path: Path | str) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return [name for (name,) in connection.execute("SELECT name FROM study ORDER BY id")]


def add_study(url: str, name: str) -> int:
    engine = connect(url, create=True)
    study_id = Store(engine).create_study(name, SPEC, 1)
    engine.dispose()
    return study_id


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    assert condition()


def test_without_a_folder_the_database_itself_is_worked_on(tmp_path: Path) -> None:
    with working_copy("some.db", None) as url:
        assert url == "some.db"


def test_a_new_database_appears_at_the_end_and_nothing_is_left_in_the_folder(tmp_path: Path) -> None:
    path, scratch = tmp_path / "home.db", tmp_path / "scratch"
    with working_copy(str(path), scratch) as url:
        add_study(url, "a")
        assert not path.exists()
    assert names(path) == ["a"]
    assert list(scratch.iterdir()) == []
    assert [found.name for found in tmp_path.iterdir() if found != scratch] == ["home.db"]


def test_an_existing_database_is_continued_and_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "home.db"
    add_study(str(path), "a")
    path.chmod(0o640)
    with working_copy(str(path), tmp_path / "scratch") as url:
        add_study(url, "b")
    assert names(path) == ["a", "b"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


@pytest.mark.usefixtures("quick")
def test_the_file_is_a_complete_read_only_database_while_it_is_worked_on(tmp_path: Path) -> None:
    path = tmp_path / "home.db"
    add_study(str(path), "a")
    with working_copy(str(path), tmp_path / "scratch") as url:
        add_study(url, "b")
        wait_until(lambda: names(path) == ["a", "b"])
        assert stat.S_IMODE(path.stat().st_mode) & 0o222 == 0
        with closing(sqlite3.connect(path)) as connection:
            assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        process = working_process(str(path))
        assert process is not None
        assert process["database"] == url
        assert abs(process["copied_at"] - time.time()) < 10
    assert working_process(str(path)) is None


@pytest.mark.usefixtures("quick")
def test_a_request_to_stop_reaches_the_driver_of_the_copy(tmp_path: Path) -> None:
    path = tmp_path / "home.db"
    assert not request_stop(str(path), "a")
    with working_copy(str(path), tmp_path / "scratch") as url:
        study_id = add_study(url, "a")
        store = Store(connect(url))
        assert store.acquire_lease(study_id, "me", "host", 1, 60)
        assert request_stop(str(path), "no such study")
        assert request_stop(str(path), "a")
        wait_until(lambda: store.renew_lease(study_id, "me", 60, 0.0))
    assert not (tmp_path / "home.db.stop").exists()


def test_a_file_that_a_driver_works_on_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "home.db"
    study_id = add_study(str(path), "a")
    engine = connect(str(path))
    store = Store(engine)
    assert store.acquire_lease(study_id, "another machine", "gpu-7", 12, 60)
    with (
        pytest.raises(DatabaseHeld, match="study 'a' driven by process 12 on gpu-7"),
        working_copy(str(path), tmp_path / "scratch"),
    ):
        pass
    store.release_lease(study_id, "another machine")
    engine.dispose()
    with working_copy(str(path), tmp_path / "scratch") as url:
        assert names(url) == ["a"]


def test_a_file_that_another_process_has_open_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "home.db"
    add_study(str(path), "a")
    with closing(sqlite3.connect(path)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM study").fetchone()
        with pytest.raises(DatabaseHeld, match="close what has it open"), working_copy(str(path), tmp_path / "scratch"):
            pass
    assert names(path) == ["a"]


def test_changes_in_a_wal_file_that_a_killed_process_left_are_kept(tmp_path: Path) -> None:
    live, path = tmp_path / "live.db", tmp_path / "home.db"
    add_study(str(live), "a")
    with closing(sqlite3.connect(live)) as writer:
        writer.execute("UPDATE study SET name = 'b'")
        writer.commit()
        for suffix in ("", "-wal"):
            shutil.copy(f"{live}{suffix}", f"{path}{suffix}")
    with working_copy(str(path), tmp_path / "scratch") as url:
        assert names(url) == ["b"]
        add_study(url, "c")
    assert names(path) == ["b", "c"]


def test_a_copy_left_by_a_killed_driver_is_not_used(tmp_path: Path) -> None:
    path, scratch = tmp_path / "home.db", tmp_path / "scratch"
    scratch.mkdir()
    add_study(str(scratch / "home.db"), "older")
    add_study(str(path), "newer")
    with working_copy(str(path), scratch) as url:
        assert names(url) == ["newer"]


def test_the_work_of_a_failed_sweep_is_copied_back(tmp_path: Path) -> None:
    path = tmp_path / "home.db"
    with pytest.raises(RuntimeError), working_copy(str(path), tmp_path / "scratch") as url:
        add_study(url, "a")
        raise RuntimeError
    assert names(path) == ["a"]


@pytest.mark.usefixtures("quick")
def test_a_copy_that_fails_is_tried_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = tmp_path / "home"
    folder.mkdir()
    path = folder / "home.db"
    with working_copy(str(path), tmp_path / "scratch") as url:
        add_study(url, "a")
        (folder / "home.db.working").unlink()
        folder.rename(tmp_path / "away")
        wait_until(lambda: "tried again" in caplog.text)
        (tmp_path / "away").rename(folder)
        wait_until(path.exists)
    assert names(path) == ["a"]


def test_a_database_of_a_server_and_a_folder_that_cannot_be_made_are_refused(tmp_path: Path) -> None:
    with (
        pytest.raises(ConfigInvalid, match="PostgreSQL needs no local copy"),
        working_copy("postgresql://host/name", tmp_path),
    ):
        pass
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(ConfigInvalid, match="--scratch must be a folder"),
        working_copy(str(tmp_path / "home.db"), tmp_path / "file"),
    ):
        pass


def test_a_damaged_or_old_note_is_no_process(tmp_path: Path) -> None:
    (tmp_path / "home.db.working").write_text("{")
    assert working_process(str(tmp_path / "home.db")) is None
    (tmp_path / "home.db.working").write_text(json.dumps({"host": "n1", "pid": 1, "copied_at": 0.0}))
    assert working_process(str(tmp_path / "home.db")) is None, "nobody has copied anything for years"
