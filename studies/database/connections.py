"""SQLAlchemy engines for study databases: pragmas, transactions and readable errors.

SQLite runs in WAL mode, so that readers are not blocked while a driver writes.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, Engine, ExceptionContext, create_engine, event
from sqlalchemy.exc import (
    DatabaseError,
    DataError,
    DBAPIError,
    IntegrityError,
    InterfaceError,
    NoSuchModuleError,
    OperationalError,
    StatementError,
)

from hnet_core.errors import HnetError
from studies.database.urls import masked, without_secrets

LOCK_TIMEOUT_SECONDS = 60
Result = TypeVar("Result")
CONNECT_TIMEOUT_SECONDS = 10


class DatabaseUnreachable(HnetError):
    """A database that does not exist or cannot be opened."""

    exit_code = 5


def make_engine(url: URL) -> Engine:
    """Make an engine for `url`; no connection is opened yet.

    A connection with the execution option `hnet_writes` takes SQLite's write lock when its transaction begins.
    """
    if url.get_backend_name() == "sqlite":
        engine = create_engine(url, connect_args={"timeout": LOCK_TIMEOUT_SECONDS})
        event.listen(engine, "connect", _set_pragmas)
        event.listen(engine, "connect", _enforce_foreign_keys)
        event.listen(engine, "begin", _begin)
    else:
        engine = _postgresql_engine(url)
    event.listen(engine, "handle_error", _explain)
    return engine


def despite_races(make: Callable[[], Result]) -> Result:
    """Call a function that creates tables, and retry if another process was creating the same ones.

    The loser of such a race gets an error that a table or a row exists already, or (SQLite entering WAL mode) that the
    file is locked, without any waiting. A retry shortly after finds the tables. The last of six attempts raises.
    """
    for pause in (0.1, 0.2, 0.4, 0.8, 1.6):
        try:
            return make()
        except (DBAPIError, DatabaseUnreachable) as error:
            if not any(word in str(error) for word in ("exists", "locked", "UNIQUE", "duplicate")):
                raise
            time.sleep(pause)
    return make()


def tune_sqlite(engine: Engine) -> None:
    """Apply our SQLite settings to another engine on the same file (Optuna's); does nothing on PostgreSQL."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _set_pragmas)
        engine.dispose()  # the connections already open were made without them


def open_read_only(path: Path) -> sqlite3.Connection:
    """Open a read-only connection to a SQLite file."""
    uri = path.resolve().as_uri() + "?mode=ro"
    return sqlite3.connect(uri, uri=True, timeout=LOCK_TIMEOUT_SECONDS, check_same_thread=False)


def _postgresql_engine(url: URL) -> Engine:
    try:
        return create_engine(url, connect_args={"connect_timeout": CONNECT_TIMEOUT_SECONDS}, pool_pre_ping=True)
    except (ImportError, NoSuchModuleError):
        hint = "install it: pip install 'hnet-sweeps[postgres]'"
        raise DatabaseUnreachable(f"PostgreSQL needs the package psycopg, which is not there; {hint}.") from None


def _set_pragmas(connection: Any, record: Any) -> None:
    # In WAL mode NORMAL cannot corrupt the file; only a power cut can lose the last transactions.
    connection.execute("PRAGMA synchronous = NORMAL").close()
    connection.execute(f"PRAGMA busy_timeout = {LOCK_TIMEOUT_SECONDS * 1000}").close()


def _enforce_foreign_keys(connection: Any, record: Any) -> None:
    connection.execute("PRAGMA foreign_keys = ON").close()


def _begin(connection: Connection) -> None:
    # By default the sqlite3 module begins a transaction late, and never for DDL. A writer takes the lock at once: one
    # that reads first and writes later fails without waiting if another connection wrote in between.
    writes = connection.get_execution_options().get("hnet_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _explain(context: ExceptionContext) -> None:
    """Replace errors a user can fix (no server, full disk, locked or damaged file) by one line that names them."""
    error = context.sqlalchemy_exception
    environmental = isinstance(error, (OperationalError, InterfaceError)) or type(error) is DatabaseError
    if not environmental or context.is_pre_ping or context.dialect is None:
        return
    url = context.engine.url if context.engine is not None else None
    if url is not None:
        raise unreachable(url, context.original_exception) from None


def refuses_values(error: BaseException | None) -> bool:
    """Return whether a database or its driver refused values of a statement, and would refuse them again."""
    return isinstance(error, (DataError, IntegrityError)) or type(error) is StatementError


@contextmanager
def errors_explained(url: URL) -> Iterator[None]:
    """Explain database errors of an engine that is not made here, such as Optuna's."""
    try:
        yield
    except DBAPIError as error:
        raise unreachable(url, error.orig or error) from None


def unreachable(url: URL, error: BaseException) -> DatabaseUnreachable:
    """Make the error that explains why the database at `url` cannot be used."""
    reason = without_secrets(str(error), url)
    if url.get_backend_name() == "sqlite":
        return DatabaseUnreachable(
            f"the database {masked(url)} must be a file that can be read and written, got: {reason}."
        )
    hint = "check the address and that the server runs"
    return DatabaseUnreachable(f"the database {masked(url)} must answer, got: {reason}; {hint}.")
