"""Consistent copy of a study database to a new SQLite file, taken while other processes may write."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sqlalchemy import Connection, Engine, Table, insert, select

from hnet_core.errors import ConfigInvalid
from studies.database.connections import open_read_only
from studies.database.open_database import connect
from studies.database.schema import metadata
from studies.database.urls import sqlite_path

ROWS_AT_A_TIME = 10_000


def backup(engine: Engine, target: Path) -> None:
    """Write a copy to `target`.

    From SQLite it is the full file, Optuna's tables included. From PostgreSQL it is the tables of studies, read in one
    transaction: it can be queried, but a sweep cannot be continued from it.

    Raises:
        ConfigInvalid: if `target` exists or cannot be written.
    """
    if target.exists():
        raise ConfigInvalid(f"a backup must go to a new file, got {target}, which exists; name another.")
    if not target.parent.is_dir():
        raise ConfigInvalid(f"a backup must go into a directory, got {target.parent}, which is none; create it first.")
    source = sqlite_path(engine.url)
    try:
        if source is not None:
            copy_sqlite(source, target)
        else:
            _copy_tables(engine, target)
    except (OSError, sqlite3.Error) as error:
        raise ConfigInvalid(f"a backup must go to a file that can be written, got {target}: {error}.") from None


def copy_sqlite(source: Path, target: Path) -> None:
    """Copy a SQLite file as a whole, of any schema.

    Raises:
        OSError, sqlite3.Error: one of them cannot be read or written.
    """
    reading, writing = open_read_only(source), sqlite3.connect(target)
    try:
        reading.backup(writing)
    finally:
        reading.close()
        writing.close()


def _copy_tables(engine: Engine, target: Path) -> None:
    copy = connect(str(target), create=True)
    snapshot = engine.execution_options(isolation_level="REPEATABLE READ")
    with snapshot.connect() as reading, copy.execution_options(hnet_writes=True).begin() as writing:
        # A trial may refer to a later one of its own table; the copy is checked as a whole at the end.
        writing.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        for table in metadata.sorted_tables:
            _copy_table(reading, writing, table)
    copy.dispose()


def _copy_table(reading: Connection, writing: Connection, table: Table) -> None:
    found = reading.execution_options(yield_per=ROWS_AT_A_TIME).execute(select(table))
    for rows in found.mappings().partitions():
        writing.execute(insert(table), [dict(row) for row in rows])
