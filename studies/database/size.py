"""Size and schema revision of a database."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Engine, func, select, text

from studies.database.schema import VERSION_TABLE, launch, run, study, trial
from studies.database.urls import sqlite_path


@dataclass(frozen=True)
class DatabaseSize:
    """What a database holds.

    Attributes:
        kind: SQLite or PostgreSQL, with its version.
        bytes: of the database, without the log of recent changes.
        revision: of the schema.
        rows: number of rows of the tables that are quickly counted.
    """

    kind: str
    bytes: int
    revision: str
    rows: dict[str, int]


def size_of(engine: Engine) -> DatabaseSize:
    """Measure a database."""
    with engine.connect() as connection:
        if sqlite_path(engine.url) is not None:
            pages, size = (connection.scalar(text(f"PRAGMA {name}")) or 0 for name in ("page_count", "page_size"))
            kind, size = f"SQLite {connection.scalar(text('SELECT sqlite_version()'))}", pages * size
        else:
            size = connection.scalar(text("SELECT pg_database_size(current_database())")) or 0
            kind = f"PostgreSQL {connection.scalar(text('SHOW server_version'))}"
        revision = connection.scalar(text(f"SELECT version_num FROM {VERSION_TABLE}"))
        rows = {
            table.name: connection.scalar(select(func.count()).select_from(table)) or 0
            for table in (study, launch, trial, run)
        }
    return DatabaseSize(kind, int(size), str(revision), rows)
