"""Engines that can only read, and whose every query has a time limit; for a service that answers strangers."""

from __future__ import annotations

import time
from typing import Any

from sqlalchemy import Connection, Engine, event

from studies.database.connections import make_engine
from studies.database.open_database import connect
from studies.database.urls import parse_url

_INSTRUCTIONS = 20_000  # of SQLite's virtual machine between two looks at the clock
_DEADLINE = "hnet_deadline"


def connect_for_reading(url: str, seconds: float) -> Engine:
    """Open a study database for reading; a transaction that takes longer than `seconds` is stopped.

    Raises:
        what `connect` raises, when the database is opened.
        QueryTimeout: from a query that takes too long.
    """
    connect(url).dispose()
    engine = make_engine(parse_url(url), read_only=True)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _watch_clock)
        event.listen(engine, "begin", _start_clock(seconds))
    else:
        event.listen(engine, "connect", _limit_session(seconds))
    return engine


def _watch_clock(connection: Any, record: Any) -> None:
    connection.set_progress_handler(lambda: time.monotonic() > record.info.get(_DEADLINE, float("inf")), _INSTRUCTIONS)


def _start_clock(seconds: float) -> Any:
    def start(connection: Connection) -> None:
        connection.info[_DEADLINE] = time.monotonic() + seconds

    return start


def _limit_session(seconds: float) -> Any:
    def limit(connection: Any, record: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET default_transaction_read_only = on")
            cursor.execute(f"SET statement_timeout = {int(seconds * 1000)}")
        connection.commit()

    return limit
