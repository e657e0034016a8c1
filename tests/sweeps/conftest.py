"""A finished sweep, run once and copied by the tests that read it or continue it."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import pytest

from sweeps.runner import run_sweep
from tests.sweeps.tiny import inline, tiny_spec


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database of `tiny_spec` once it is finished, one file to copy."""
    folder = tmp_path_factory.mktemp("finished")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder))
        run_sweep(tiny_spec(), str(folder / "live.db"), backend=inline)
    with contextlib.closing(sqlite3.connect(folder / "live.db")) as live:
        live.execute("VACUUM INTO ?", [str(folder / "hnet.db")])
    return folder / "hnet.db"
