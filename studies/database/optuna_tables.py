"""Optuna's tables in a database that is read and never written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import URL, create_engine, inspect, text

from studies.database.connections import CONNECT_TIMEOUT_SECONDS, errors_explained, is_sqlite_file, open_read_only
from studies.database.open_database import DatabaseForeign
from studies.database.schema import VERSION_TABLE
from studies.database.urls import masked, sqlite_path

_NEEDED = frozenset({"studies", "trials", "version_info"})


@dataclass(frozen=True)
class OptunaVersion:
    """The version of Optuna that wrote a storage, and the revision of its tables (None before Optuna 0.9)."""

    library: str
    revision: str | None


def read_only_engine(url: URL) -> tuple[str, dict[str, Any]]:
    """Address and options of an engine of SQLAlchemy that can read the database at `url` and never write it."""
    path = sqlite_path(url)
    if path is not None:
        return "sqlite://", {"creator": lambda: open_read_only(path)}
    options = {"options": "-c default_transaction_read_only=on", "connect_timeout": CONNECT_TIMEOUT_SECONDS}
    return url.render_as_string(hide_password=False), {"connect_args": options}


def optuna_version(url: URL) -> OptunaVersion | None:
    """The version of the Optuna storage in a database, None in a database without tables or of studies alone.

    Raises:
        DatabaseForeign: if it is a database of another program, or no database.
        DatabaseUnreachable: if it cannot be read.
    """
    path = sqlite_path(url)
    if path is not None and path.exists():
        if not path.is_file():
            raise DatabaseForeign(f"an Optuna storage must be a file or a URL of PostgreSQL, got {path}.")
        if not is_sqlite_file(path):
            raise DatabaseForeign(
                f"{path} must be an Optuna storage in SQL, got a file that is no database; copy the study of a journal "
                "with optuna.copy_study."
            )
    address, options = read_only_engine(url)
    engine = create_engine(address, **options)
    try:
        with errors_explained(url), engine.connect() as connection:
            tables = set(inspect(connection).get_table_names())
            if not tables >= _NEEDED:
                if tables and VERSION_TABLE not in tables:
                    raise DatabaseForeign(
                        f"{masked(url)} must be an Optuna storage, got a database of another program; it stays so."
                    )
                return None
            library = connection.scalar(text("SELECT library_version FROM version_info"))
            has_revision = "alembic_version" in tables
            revision = connection.scalar(text("SELECT version_num FROM alembic_version")) if has_revision else None
    finally:
        engine.dispose()
    return OptunaVersion(str(library), revision)
