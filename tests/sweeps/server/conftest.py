"""A small database behind a server, asked in this process; `browse` opens it in a real browser."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from studies.database.open_database import connect
from studies.store import admin
from studies.store.store import Store
from sweeps.server.application import make_application
from sweeps.server.settings import make_settings
from tests.studies.sample import sample_spec, sample_study

WRITE_TOKEN, READ_TOKEN = "write-token-0123456789", "read-token-0123456789"
BASE = "http://127.0.0.1:8080"
STRANGE = "a/b c?#%<img src=x onerror=alert(1)>"
Ask = Callable[..., TestClient]


@pytest.fixture(scope="session", autouse=True)
def _state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep logs of started sweeps out of the user's folder, in the servers of other processes too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield


@pytest.fixture(scope="session")
def _filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("served") / "studies.db"
    engine = connect(str(path), create=True)
    sample_study(engine, n_trials=24, seeds=3, n_tasks=4)
    sample_study(engine, n_trials=12, seeds=3, n_tasks=4, name=STRANGE)
    sample_study(engine, n_trials=8, seeds=2, n_tasks=4, name="archived")
    Store(engine).create_study("empty", sample_spec("empty", 10, 3, 4), 3)
    admin.tag_study(engine, "sample-tradeoff", ["paper", "mnist"])
    admin.archive_study(engine, "archived")
    admin.note_study(engine, "sample-tradeoff", "*as* <b>typed</b>")
    engine.dispose()
    return path


@pytest.fixture
def database(_filled: Path, tmp_path: Path) -> Path:
    """A database of a test's own, to change."""
    return Path(shutil.copy(_filled, tmp_path / "studies.db"))


@pytest.fixture(scope="session")
def client(_filled: Path) -> Iterator[TestClient]:
    """A client with the write token, of a server that all reading tests share."""
    with ExitStack() as opened:
        yield opened.enter_context(new_client(_filled))


@pytest.fixture
def ask(database: Path) -> Iterator[Ask]:
    """Make a client of a server of the test's own."""
    with ExitStack() as opened:
        yield lambda token=WRITE_TOKEN, **options: opened.enter_context(new_client(database, token, **options))


def new_client(path: Path, token: str | None = WRITE_TOKEN, **options: Any) -> TestClient:
    given: dict[str, Any] = {"db": str(path), "token": WRITE_TOKEN, "read_token": READ_TOKEN}
    app = make_application(make_settings(**{**given, **options}))
    headers = {} if token is None else {"authorization": f"Bearer {token}"}
    return TestClient(app, base_url=BASE, headers=headers, follow_redirects=False, raise_server_exceptions=False)
