"""Opening of a study database: check that it is one and up to date, create or upgrade it on request.

The content of a database is read before anything is written, so that a foreign one stays as it is.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Engine, create_engine, inspect, text
from sqlalchemy.exc import DBAPIError

import studies.database.migrations
from hnet_core.errors import HnetError
from studies.database.connections import (
    DatabaseUnreachable,
    despite_races,
    make_engine,
    open_read_only,
    unreachable,
)
from studies.database.schema import VERSION_TABLE
from studies.database.stored_metrics import lacks_metrics
from studies.database.urls import masked, parse_url, sqlite_path

# Any number, the same in every hnet: two processes must not make one PostgreSQL schema at the same time.
_SCHEMA_LOCK = 0x686E6574

# Optuna's tables share the database with ours and do not make it a foreign one.
_OPTUNA_TABLES = frozenset(
    {
        "alembic_version",
        "studies",
        "study_directions",
        "study_system_attributes",
        "study_user_attributes",
        "trial_heartbeats",
        "trial_intermediate_values",
        "trial_params",
        "trial_system_attributes",
        "trial_user_attributes",
        "trial_values",
        "trials",
        "version_info",
    }
)

State = Literal["empty", "optuna", "foreign", "older", "newer", "current"]


class DatabaseForeign(HnetError):
    """A file or database that belongs to another program; it is left as it is."""

    exit_code = 5


class SchemaOutdated(HnetError):
    """A study database of an older or a newer hnet than this one."""

    exit_code = 5


def connect(url: str, create: bool = False) -> Engine:
    """Open a study database.

    Args:
        url: a file name, `sqlite:///FILE` or `postgresql://USER@HOST/NAME`.
        create: make the database if there is none yet, and upgrade one of an older hnet.

    Raises:
        ConfigInvalid: if `url` names no kind of database known here.
        DatabaseUnreachable: if there is no database (and `create` is false), or it cannot be read or written.
        DatabaseForeign: if it holds tables of another program or is no database at all; it stays byte-identical.
        SchemaOutdated: if it is of a newer hnet, or of an older one and `create` is false.
    """
    parsed = parse_url(url)
    path = sqlite_path(parsed)
    engine = make_engine(parsed)
    if path is None:
        state = _state(engine)
    else:
        _check_place(path, create)
        try:
            state = _file_state(path)
        except (OSError, sqlite3.Error, DBAPIError) as error:
            raise unreachable(parsed, getattr(error, "orig", None) or error) from None
    if create and state in ("empty", "optuna", "older"):
        despite_races(lambda: _upgrade(engine, path))
    else:
        _refuse(state, masked(parsed))
    return engine


def _check_place(path: Path, create: bool) -> None:
    """Refuse a path where no SQLite file can be, before SQLite creates anything there."""
    if path.is_dir():
        raise DatabaseUnreachable(f"a database must be a file, got the directory {path}; name a file in it.")
    if path.exists() and not path.is_file():  # opening a named pipe would wait for its writer
        raise DatabaseUnreachable(f"a database must be a file, got {path}, a pipe or a device; name another.")
    if path.exists():
        return
    if not create:
        raise DatabaseUnreachable(f"no database at {path}; run a sweep first or name one with --db / HNET_DB.")
    if not path.parent.is_dir():
        raise DatabaseUnreachable(f"no directory {path.parent} to put the database {path.name} in; create it first.")
    if not os.access(path.parent, os.W_OK):
        raise DatabaseUnreachable(
            f"the directory {path.parent} must be writable to put the database {path.name} in it."
        )


def _file_state(path: Path) -> State:
    """Classify the content of a SQLite file without changing a byte of it.

    Only SQLite may open the file: closing any other descriptor of it drops the locks of every connection this process
    has, and with them commits (https://www.sqlite.org/howtocorrupt.html, section 2.2).
    """
    if not path.exists():
        return "empty"
    engine = create_engine("sqlite://", creator=lambda: open_read_only(path))
    try:
        return _state(engine)
    except DBAPIError as error:
        if getattr(error.orig, "sqlite_errorcode", None) == sqlite3.SQLITE_NOTADB:
            return "foreign"
        raise
    finally:
        engine.dispose()


def _state(engine: Engine) -> State:
    with engine.connect() as connection:
        tables = set(inspect(connection).get_table_names())
        if VERSION_TABLE in tables:
            age = _age(connection.scalar(text(f"SELECT version_num FROM {VERSION_TABLE}")))
            return "older" if age == "current" and lacks_metrics(connection) else age
    if not tables <= _OPTUNA_TABLES:
        return "foreign"
    return "optuna" if tables else "empty"


def _age(version: str | None) -> State:
    # The files are named by their revision, so that a reader need not import alembic, which takes longer than a query.
    known = [path.name.partition("_")[0] for path in (_migrations() / "versions").glob("[0-9]*.py")]
    if version == max(known):
        return "current"
    return "older" if version in known else "newer"


def _refuse(state: State, shown: str) -> None:
    if state == "empty":
        raise DatabaseUnreachable(
            f"{shown} holds no studies yet; run a sweep first or name another with --db / HNET_DB."
        )
    if state == "optuna":
        raise DatabaseUnreachable(
            f"{shown} holds studies of Optuna, none of hnet; import one: "
            f"hnet study import-optuna {shown} NAME --target-weights N"
        )
    if state == "foreign":
        raise DatabaseForeign(f"{shown} must be a study database, got one of another program; name another with --db.")
    if state == "older":
        raise SchemaOutdated(f"{shown} was made by an older hnet; upgrade it: hnet db upgrade --db {shown}")
    if state == "newer":
        raise SchemaOutdated(f"{shown} was made by a newer hnet than this one; upgrade hnet to read it.")


def _upgrade(engine: Engine, path: Path | None) -> None:
    """Bring the schema to the newest revision, in one transaction and under a lock."""
    from alembic import command

    if path is not None:
        _use_write_ahead_log(engine, path)
    config = _alembic_config()
    with engine.execution_options(hnet_writes=True).begin() as connection:
        if path is None:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _SCHEMA_LOCK})
        config.attributes["connection"] = connection
        command.upgrade(config, "head")  # does nothing where another process has upgraded already


def _use_write_ahead_log(engine: Engine, path: Path) -> None:
    # A property of the file, set once, and never within a transaction, which `engine` would begin.
    try:
        connection = sqlite3.connect(path, timeout=60)
        connection.execute("PRAGMA journal_mode = WAL").close()
        connection.close()
    except sqlite3.Error as error:
        raise unreachable(engine.url, error) from None


def _migrations() -> Path:
    return Path(str(studies.database.migrations.__file__)).parent


def _alembic_config() -> Any:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_migrations()))
    config.set_main_option("path_separator", "os")
    return config
