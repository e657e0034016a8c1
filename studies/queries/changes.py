"""Cheap detection of changes: of a whole database, and of one study."""

from __future__ import annotations

import hashlib
import sqlite3
import threading
import time
from collections.abc import Mapping

from sqlalchemy import Engine, func, select, text

from studies.database.connections import open_read_only
from studies.database.database_clock import epoch_now
from studies.database.schema import benchmark, launch, run, study, study_note, study_tag, trial, trial_note
from studies.database.urls import sqlite_path

# The end of a lease changes what is shown, and nothing in the database.
RECHECK_SECONDS = 5.0


class Changes:
    """A text per study that changes when anything shown of it does; kept until the database changes.

    Not included is what a driver writes only to show that it is alive, the end of its lease and its seconds, and the
    tasks finished of its running trials, which have a text of their own.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        path = sqlite_path(engine.url)
        self._file: sqlite3.Connection | None = None if path is None else open_read_only(path)
        self._seen = ""
        self._read_at = float("-inf")
        self._versions: Mapping[str, str] = {}
        self._progress: Mapping[str, str] = {}
        self._tables = ""

    def versions(self) -> Mapping[str, str]:
        """Return the version of every study by name, archived ones too."""
        with self._lock:
            self._read()
            return self._versions

    def progress(self, name: str) -> str:
        """Return a text that changes with the tasks finished of the running trials of a study; "" if none runs."""
        with self._lock:
            self._read()
            return self._progress.get(name, "")

    def of_all(self) -> str:
        """Return a text that changes when any study does, or the published tables that were added."""
        with self._lock:
            self._read()
            return _digest((*self._versions.items(), self._tables))

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def _read(self) -> None:
        seen, now = self._database(), time.monotonic()
        if seen != self._seen or now - self._read_at > RECHECK_SECONDS:
            self._versions, self._progress, self._tables = _versions(self._engine)
            self._seen, self._read_at = seen, now

    def _database(self) -> str:
        """Return a text that is the same only if nothing was committed, in a time that does not depend on the size."""
        if self._file is not None:
            # Counts the commits of all other connections (https://www.sqlite.org/pragma.html#pragma_data_version).
            return str(self._file.execute("PRAGMA data_version").fetchone()[0])
        with self._engine.connect() as connection:
            return str(connection.scalar(text("SELECT pg_current_snapshot()::text")))


def _versions(engine: Engine) -> tuple[dict[str, str], dict[str, str], str]:
    """Return the version and the progress of each study by name, and a version of the added tables."""
    of_study = (study.c.name, study.c.uuid, study.c.seeds, study.c.stop_requested, study.c.archived_at)
    is_held = study.c.lease_until > epoch_now()
    studies = select(study.c.id, *of_study, study.c.lease_owner, is_held)
    progress = select(study.c.name, study.c.progress).where(is_held)
    per_study = (
        select(trial.c.study_id, trial.c.state, func.count(), func.max(trial.c.finished_at), func.sum(trial.c.attempt))
        .group_by(trial.c.study_id, trial.c.state)
        .order_by(trial.c.study_id, trial.c.state),
        select(run.c.study_id, func.count()).group_by(run.c.study_id),
        select(launch.c.study_id, func.count(), func.max(launch.c.id)).group_by(launch.c.study_id),
        select(study_tag.c.study_id, study_tag.c.tag).order_by(study_tag.c.study_id, study_tag.c.tag),
        select(study_note.c.study_id, study_note.c.written_at),
        select(trial_note.c.study_id, func.count(), func.max(trial_note.c.written_at)).group_by(trial_note.c.study_id),
    )
    with engine.connect() as connection:
        rows = connection.execute(studies).all()
        parts: dict[int, list[str]] = {row[0]: [repr(tuple(row))] for row in rows}
        for place, query in enumerate(per_study):
            for row in connection.execute(query):
                if row[0] in parts:
                    parts[row[0]].append(repr((place, *row)))
        running = {name: _digest(tasks.items()) for name, tasks in connection.execute(progress) if tasks}
        tables = _digest(
            map(tuple, connection.execute(select(benchmark.c.name, benchmark.c.added_at).order_by("name")))
        )
    return {row[1]: _digest(parts[row[0]]) for row in rows}, running, tables


def _digest(parts: object) -> str:
    return hashlib.sha256(repr(list(parts)).encode("utf-8", "surrogatepass")).hexdigest()[:16]  # type: ignore[call-overload]
