"""The database's clock, by which drivers on machines with different clocks agree on the end of a lease."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Double
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement


class epoch_now(FunctionElement[float]):
    """Return the SQL for seconds since 1970 by the database's clock."""

    type = Double()
    inherit_cache = True


class epoch_of(FunctionElement[float]):
    """Return the SQL for a moment as seconds since 1970, to a millisecond on SQLite."""

    type = Double()
    inherit_cache = True


@compiles(epoch_now, "sqlite")
def _sqlite(element: epoch_now, compiler: Any, **options: Any) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(epoch_now, "postgresql")
def _postgresql(element: epoch_now, compiler: Any, **options: Any) -> str:
    return "CAST(extract(epoch FROM clock_timestamp()) AS double precision)"


@compiles(epoch_of, "sqlite")
def _sqlite_of(element: epoch_of, compiler: Any, **options: Any) -> str:
    return f"((julianday({compiler.process(element.clauses)}) - 2440587.5) * 86400.0)"


@compiles(epoch_of, "postgresql")
def _postgresql_of(element: epoch_of, compiler: Any, **options: Any) -> str:
    return f"CAST(extract(epoch FROM {compiler.process(element.clauses)}) AS double precision)"
