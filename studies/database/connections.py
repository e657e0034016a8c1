"""SQLAlchemy engines for study databases: pragmas, transactions and readable errors.

SQLite runs in WAL mode, so that readers are not blocked while a driver writes.
"""

from __future__ import annotations

import json
import os
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

from hnet_core.errors import ConfigInvalid, HnetError
from studies.database.urls import masked, sqlite_path, without_secrets
from studies.errors import QueryTimeout

LOCK_TIMEOUT_SECONDS = 60
Result = TypeVar("Result")
CONNECT_TIMEOUT_SECONDS = 10


class DatabaseUnreachable(HnetError):
    """A database that does not exist or cannot be opened."""

    exit_code = 5


def to_json(content: Any) -> str:
    """JSON as every database can read it again: NaN and infinity, which JSON does not know, are refused."""
    return json.dumps(content, allow_nan=False)


def make_engine(url: URL, read_only: bool = False) -> Engine:
    """Make an engine for `url`; no connection is opened yet.

    A connection with the execution option `hnet_writes` takes SQLite's write lock when its transaction begins.

    Args:
        read_only: open a SQLite file for reading alone, whatever its permissions are.
    """
    if url.get_backend_name() == "sqlite":
        path = sqlite_path(url)
        if path is not None and (read_only or _is_read_only(path)):
            engine = create_engine(url, creator=lambda: open_read_only(path))
        else:
            arguments = {"timeout": LOCK_TIMEOUT_SECONDS}
            engine = create_engine(url, connect_args=arguments, json_serializer=to_json)
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
    """Open a read-only connection to a SQLite file, on a read-only medium too.

    SQLite reads a file in WAL mode with the help of two more files beside it. Where it cannot make them, the file is
    opened as one that nobody changes; not if a -wal file holds changes that would be left out.

    Raises:
        sqlite3.Error: if it cannot be read.
    """
    try:
        return _connect_read_only(path, "mode=ro")
    except sqlite3.OperationalError as error:
        if os.access(path.parent, os.W_OK) or not path.exists():
            raise
        if _wal(path).exists() and _wal(path).stat().st_size > 0:
            raise sqlite3.OperationalError(
                f"{error}; {_wal(path).name} holds changes, and its directory cannot be written: copy both files to "
                "one that can"
            ) from None
    return _connect_read_only(path, "mode=ro&immutable=1")


def _connect_read_only(path: Path, options: str) -> sqlite3.Connection:
    uri = f"{path.resolve().as_uri()}?{options}"
    connection = sqlite3.connect(uri, uri=True, timeout=LOCK_TIMEOUT_SECONDS, check_same_thread=False)
    try:
        connection.execute("PRAGMA schema_version").close()  # SQLite opens the file at the first read
    except sqlite3.OperationalError:
        connection.close()
        raise
    except sqlite3.DatabaseError:
        pass  # no database, which the caller finds out
    return connection


def _is_read_only(path: Path) -> bool:
    """Return whether a file is there and cannot be written, alone or for lack of a place for its -wal file."""
    if not path.exists():
        return False
    can_have_wal = os.access(path.parent, os.W_OK) or _wal(path).exists()
    return not (os.access(path, os.W_OK) and can_have_wal)


def _wal(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


def is_sqlite_file(path: Path) -> bool:
    """Return whether SQLite itself reads a file as a database, an empty one included."""
    try:
        connection = open_read_only(path)
        try:
            connection.execute("PRAGMA schema_version").close()
        finally:
            connection.close()
    except sqlite3.DatabaseError as error:
        return error.sqlite_errorcode != sqlite3.SQLITE_NOTADB
    return True


def _postgresql_engine(url: URL) -> Engine:
    try:
        options = {"connect_timeout": CONNECT_TIMEOUT_SECONDS}
        return create_engine(url, connect_args=options, pool_pre_ping=True, json_serializer=to_json)
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
    """Replace errors a user can fix (no server, full disk, damaged file, huge number) by one line that names them."""
    error = context.sqlalchemy_exception
    if isinstance(context.original_exception, OverflowError) or _sqlstate(context.original_exception) == _OUT_OF_RANGE:
        raise ConfigInvalid("a number for a database must lie within 64 bits, got a larger one.") from None
    if str(context.original_exception) == "interrupted" or _sqlstate(context.original_exception) == _CANCELLED:
        raise QueryTimeout("a query must finish within the time limit of this service; narrow it down.") from None
    environmental = isinstance(error, (OperationalError, InterfaceError)) or type(error) is DatabaseError
    environmental = environmental or _sqlstate(context.original_exception) in _REMEDIES
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


def outage_of(url: URL, error: BaseException) -> DatabaseUnreachable | None:
    """Explain an error that another library made of one of SQLAlchemy, its cause; None where values were refused."""
    cause = error.__cause__
    is_outage = isinstance(cause, DBAPIError) and not refuses_values(cause)
    return unreachable(url, cause.orig or cause) if isinstance(cause, DBAPIError) and is_outage else None


def unreachable(url: URL, error: BaseException) -> DatabaseUnreachable:
    """Make the error that explains why the database at `url` cannot be used."""
    reason = without_secrets(str(error), url)
    if url.get_backend_name() == "sqlite":
        if "malformed JSON" in reason:  # written by hand, or by hnet before it refused NaN and infinity
            return DatabaseUnreachable(
                f"the database {masked(url)} must hold settings in JSON, got: {reason}; find them: hnet db check"
            )
        return DatabaseUnreachable(
            f"the database {masked(url)} must be a file that can be read and written, got: {reason}."
        )
    state = _sqlstate(error)
    if state in _REMEDIES:
        must, remedy = _REMEDIES[state]
        if state == _NO_PRIVILEGE and "schema" not in reason:
            remedy = _GRANT_TABLES
        reason = reason.partition("\n")[0]
        user = url.username or "USER"
        return DatabaseUnreachable(
            f"the database {masked(url)} must {must}, got: {reason}; {remedy.format(user=user)}."
        )
    hint = "check the address and that the server runs"
    return DatabaseUnreachable(f"the database {masked(url)} must answer, got: {reason}; {hint}.")


_OUT_OF_RANGE = "22003"
_CANCELLED = "57014"  # by statement_timeout; SQLite's own word is "interrupted", see studies/database/reading.py
_NO_PRIVILEGE = "42501"
_GRANT_SCHEMA = "let its owner run: GRANT USAGE, CREATE ON SCHEMA public TO {user}"
_GRANT_TABLES = (
    "let its owner run: GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {user}; "
    "GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {user}"
)
# What the surroundings refuse, by SQLSTATE (https://www.postgresql.org/docs/current/errcodes-appendix.html): what the
# database must do, and the remedy. SQLAlchemy has them as errors of a program.
_REMEDIES = {
    _NO_PRIVILEGE: ("let this user read and write", _GRANT_SCHEMA),
    "3F000": ("have a schema this user may create in", _GRANT_SCHEMA),
    "25006": (
        "take changes",
        "name the primary server, or turn default_transaction_read_only off for {user}; reading works",
    ),
    "42P01": ("hold the tables of hnet", "set the search_path of {user} to their schema, or run: hnet db init"),
}


def _sqlstate(error: BaseException | None) -> str | None:
    """Return PostgreSQL's code of an error; None on SQLite."""
    return getattr(error, "sqlstate", None)
