"""Read-only execution of SQL written by a user: one statement, a row cap, a time limit."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine

from hnet_core.errors import ConfigInvalid
from studies.database.connections import open_read_only
from studies.database.urls import without_secrets
from studies.errors import QueryTimeout
from studies.queries.row_selection import Rows, to_frame

if TYPE_CHECKING:
    import pandas as pd

TIME_LIMIT_SECONDS = 30.0

_READING = {
    sqlite3.SQLITE_SELECT,
    sqlite3.SQLITE_READ,
    sqlite3.SQLITE_FUNCTION,
    sqlite3.SQLITE_RECURSIVE,
}


@dataclass(frozen=True)
class SqlRows(Rows):
    """The rows of a statement; `truncated` is true if there were more than asked for."""

    truncated: bool = False

    def frame(self) -> pd.DataFrame:
        """Return them as a DataFrame with the flag in its `.attrs`; integers beside NULL stay integers."""
        found = to_frame(self, nullable=True)
        found.attrs["truncated"] = self.truncated
        return found


def read_sql(engine: Engine, query: str, limit: int, seconds: float = TIME_LIMIT_SECONDS) -> SqlRows:
    """Return the first `limit` rows of one reading statement.

    Raises:
        ConfigInvalid: if it is not one statement that only reads, or the database refuses it.
        QueryTimeout: if it takes longer than `seconds`.
    """
    if limit < 1:
        raise ConfigInvalid(f"--limit must be at least 1, got {limit}.")
    read = _read_sqlite if engine.dialect.name == "sqlite" else _read_postgresql
    names, rows = read(engine, query, limit + 1, seconds)
    values = [[_plain(value) for value in row] for row in rows[:limit]]
    return SqlRows(_unique_names(names), values, truncated=len(rows) > limit)


def _read_sqlite(engine: Engine, query: str, limit: int, seconds: float) -> tuple[list[str], list[Any]]:
    connection = open_read_only(Path(str(engine.url.database)))
    try:
        # Refuses what a read-only file does not: ATTACH and VACUUM INTO, which write other files.
        connection.set_authorizer(lambda action, *_: sqlite3.SQLITE_OK if action in _READING else sqlite3.SQLITE_DENY)
        deadline = time.monotonic() + seconds
        connection.set_progress_handler(lambda: time.monotonic() > deadline, 10_000)
        cursor = connection.execute(query)
        rows = cursor.fetchmany(limit)
        if cursor.description is None:
            raise sqlite3.ProgrammingError("no rows to show")
        return [column[0] for column in cursor.description], rows
    except (sqlite3.Error, sqlite3.Warning) as error:
        if str(error) == "interrupted":
            raise _too_slow(seconds) from None
        raise _refused(engine, error) from None
    finally:
        connection.close()


def _read_postgresql(engine: Engine, query: str, limit: int, seconds: float) -> tuple[list[str], list[Any]]:
    import psycopg

    with engine.connect().execution_options(postgresql_readonly=True) as connection:
        connection.exec_driver_sql(f"SET LOCAL statement_timeout = {int(seconds * 1000)}")
        cursor: Any = connection.connection.cursor()
        try:
            # A prepared statement is one statement only, so that no text can leave this read-only transaction.
            cursor.execute(f"DECLARE hnet_rows CURSOR FOR {query}", prepare=True)
            cursor.execute(f"FETCH FORWARD {limit} FROM hnet_rows")
            return [column[0] for column in cursor.description or ()], cursor.fetchall()
        except psycopg.errors.QueryCanceled:
            raise _too_slow(seconds) from None
        except psycopg.Error as error:
            raise _refused(engine, error) from None
        finally:
            cursor.close()


def _unique_names(names: Sequence[str]) -> list[str]:
    """Number repeated names: number, number_2."""
    apart: list[str] = []
    for name in names:
        taken = (name, *(f"{name}_{i}" for i in range(2, len(names) + 2)))
        apart.append(next(one for one in taken if one not in apart))
    return apart


def _plain(value: Any) -> Any:
    """Convert a number of PostgreSQL's type numeric: a sum of integers is one, exactly, and an average a float."""
    if not isinstance(value, Decimal):
        return value
    exponent = value.as_tuple().exponent
    return int(value) if isinstance(exponent, int) and exponent >= 0 else float(value)


def _refused(engine: Engine, error: Exception) -> ConfigInvalid:
    why = without_secrets(str(error), engine.url).rstrip(".\n ")
    return ConfigInvalid(
        f"the SQL must be one statement that only reads, of the tables and columns in docs/schema.md, got: {why}."
    )


def _too_slow(seconds: float) -> QueryTimeout:
    return QueryTimeout(f"the SQL must finish within {seconds:g} s, and did not; narrow it down.")
