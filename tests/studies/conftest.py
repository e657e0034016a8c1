"""Fresh, migrated databases: a SQLite file and a real PostgreSQL, so that every contract is held on both."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from studies.database.open_database import connect
from studies.database.schema import metadata
from studies.store.store import Store
from tests.postgres import new_postgres_database
from tests.studies.sample import PROVENANCE, sample_study

_numbers = count()


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


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def sampled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """A connection to a database with the sample study, for tests that only read it, on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        url = str(tmp_path_factory.mktemp("sampled") / "study.db")
    else:
        url = new_postgres_database(request.getfixturevalue("postgres_url"), f"hnet_sampled_{next(_numbers)}")
    found = connect(url, create=True)
    sample_study(found, 12)
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
