"""A SQLite database that a driver works on in a local copy, for files on a network file system.

Beside the file, while it is worked on: `NAME.working` names the process and the local copy, and `NAME.stop` takes
requests to stop from other machines. The file itself is replaced by the newest state twice a minute and read-only
meanwhile: other changes to it would be lost.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import shutil
import socket
import sqlite3
import stat
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import select

from hnet_core.errors import ConfigInvalid, HnetError
from studies.database.backup import copy_sqlite
from studies.database.open_database import connect
from studies.database.schema import study
from studies.database.urls import parse_url, sqlite_path
from studies.store.leases import is_dead
from studies.store.store import Store

SECONDS_BETWEEN_COPIES = 30.0
SECONDS_BETWEEN_LOOKS = 2.0
SECONDS_UNTIL_STALE = 900.0  # the process was killed, and nobody has gone on since
COPY_SHARE = 20  # copying takes at most one part in 20 of the time

log = logging.getLogger("hnet")


class DatabaseHeld(HnetError):
    """A database file that another driver writes."""

    exit_code = 6


@contextlib.contextmanager
def working_copy(url: str, folder: Path | None) -> Iterator[str]:
    """Copy a SQLite database into a folder, work on it there, and copy it back twice a minute and at the end.

    Args:
        url: the database, which may not exist yet.
        folder: on a local disk; None to work on the database itself.

    Yields:
        the database to work on.

    Raises:
        ConfigInvalid: the database is no SQLite file, or the folder cannot be written.
        DatabaseHeld: a driver works on the file.
    """
    if folder is None:
        yield url
        return
    path = sqlite_path(parse_url(url))
    if path is None:
        raise ConfigInvalid("--scratch must come with a SQLite database; PostgreSQL needs no local copy: leave it out.")
    copied = _WorkingCopy(path.expanduser().absolute(), folder.expanduser().absolute())
    copied.begin()
    try:
        yield str(copied.local)
    finally:
        copied.end()


def working_process(url: str) -> dict[str, Any] | None:
    """Return who works on a copy of this database, None if nobody: host, pid, database, copied_at (since 1970)."""
    path = sqlite_path(parse_url(url))
    if path is None:
        return None
    try:
        found: dict[str, Any] = json.loads(_beside(path, "working").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if time.time() - found["copied_at"] < SECONDS_UNTIL_STALE else None


def request_stop(url: str, name: str) -> bool:
    """Leave a request to stop a study for the process that works on a copy; return False if there is none."""
    path = sqlite_path(parse_url(url))
    if path is None or working_process(url) is None:
        return False
    with _beside(path, "stop").open("a", encoding="utf-8") as requests:
        requests.write(json.dumps(name) + "\n")
    return True


class _WorkingCopy:
    """The copy, and the thread that copies it back.

    Attributes:
        local: the database to work on.
    """

    def __init__(self, path: Path, folder: Path) -> None:
        self.local = folder / path.name
        self._path, self._folder = path, folder
        self._mode = 0o644
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._keep_copied, daemon=True)

    def begin(self) -> None:
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._delete_local()  # of a driver that was killed: the file may be newer
            _beside(self._path, "stop").unlink(missing_ok=True)
            if self._path.exists():
                self._mode = stat.S_IMODE(self._path.stat().st_mode) | stat.S_IWUSR
                self._path.chmod(self._mode)
                copy_sqlite(self._path, self.local)
                _check_is_free(self._path, self.local)
                _leave_wal_mode(self._path)
            self._mark()
        except (OSError, sqlite3.Error) as error:
            raise ConfigInvalid(
                f"--scratch must be a folder into which {self._path} can be copied, got {self._folder}: {error}."
            ) from None
        self._thread.start()

    def end(self) -> None:
        self._over.set()
        self._thread.join()
        if self.local.exists():
            self._copy_back(self._mode)
        _beside(self._path, "working").unlink(missing_ok=True)
        _beside(self._path, "stop").unlink(missing_ok=True)
        self._delete_local()

    def _keep_copied(self) -> None:
        due = time.monotonic() + SECONDS_BETWEEN_COPIES
        while not self._over.wait(SECONDS_BETWEEN_LOOKS):
            try:
                self._pass_on_requests()
                if time.monotonic() >= due and self.local.exists():
                    began = time.monotonic()
                    self._copy_back(self._mode & 0o444)
                    due = began + max(SECONDS_BETWEEN_COPIES, COPY_SHARE * (time.monotonic() - began))
            except (OSError, sqlite3.Error, HnetError) as error:
                log.warning("The database could not be copied to %s, which is tried again: %s", self._path, error)
                due = time.monotonic() + SECONDS_BETWEEN_COPIES

    def _copy_back(self, mode: int) -> None:
        """Replace the file by the state of the local copy, as a whole."""
        snapshot, partial = self.local.with_suffix(".snapshot"), _beside(self._path, f"{os.getpid()}.new")
        snapshot.unlink(missing_ok=True)
        copy_sqlite(self.local, snapshot)
        _leave_wal_mode(snapshot)
        shutil.copyfile(snapshot, partial)
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.chmod(mode)
        partial.replace(self._path)
        snapshot.unlink()
        self._mark()

    def _mark(self) -> None:
        who = {"host": socket.gethostname(), "pid": os.getpid(), "database": str(self.local), "copied_at": time.time()}
        marker = _beside(self._path, "working")
        partial = marker.with_name(f"{marker.name}.{os.getpid()}")
        partial.write_text(json.dumps(who), encoding="utf-8")
        partial.replace(marker)

    def _pass_on_requests(self) -> None:
        requests = _beside(self._path, "stop")
        if not requests.exists() or not self.local.exists():
            return
        taken = requests.with_name(f"{requests.name}.{os.getpid()}")
        requests.replace(taken)  # a later request makes a new file
        engine = connect(str(self.local))
        store = Store(engine)
        for line in taken.read_text(encoding="utf-8").splitlines():
            row = store.find_study(json.loads(line))
            if row is not None:
                store.request_stop(row["id"])
        engine.dispose()
        taken.unlink()

    def _delete_local(self) -> None:
        for suffix in ("", "-wal", "-shm"):
            self.local.with_name(self.local.name + suffix).unlink(missing_ok=True)


def _check_is_free(path: Path, local: Path) -> None:
    """Refuse a file that a driver works on; one of a killed driver is free when its lease ends.

    Args:
        local: copy of the file; one of an older schema is upgraded.

    Raises:
        DatabaseHeld: a driver has a lease in it.
    """
    engine = connect(str(local), create=True)
    store = Store(engine)
    with engine.connect() as connection:
        found = [tuple(row) for row in connection.execute(select(study.c.id, study.c.name))]
    holders = {name: store.lease_holder(study_id) for study_id, name in found}
    engine.dispose()
    for name, holder in holders.items():
        if holder is not None and not is_dead(holder):
            raise DatabaseHeld(
                f"the database {path} must be in no other use, got study {name!r} driven by process {holder['pid']} on "
                f"{holder['host']}; wait for it (a minute, if that was killed), or use another file or PostgreSQL."
            )


def _leave_wal_mode(path: Path) -> None:
    """Put everything into the file itself: a -wal file left beside it would be applied to the file that replaces it.

    Raises:
        DatabaseHeld: another process has it open.
    """
    with contextlib.closing(sqlite3.connect(path, timeout=5)) as connection:
        try:
            connection.execute("PRAGMA journal_mode = DELETE").close()
        except sqlite3.OperationalError as error:
            raise DatabaseHeld(
                f"the database {path} must be in no other use, got: {error}; close what has it open."
            ) from None


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(f"{path.name}.{suffix}")
