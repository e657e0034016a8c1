"""Options of pytest and fixtures for all tests."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
import typer.main
import typer.testing
from alembic.util import pyfiles
from hypothesis import settings

from tests.postgres import empty_postgres, postgres_url  # noqa: F401  (fixtures)

REPOSITORY = Path(__file__).parent.parent
FAST_EXAMPLES = 30  # of a property, unless it names a number of its own; 100 with --runslow
EXHAUSTIVE = ("test_every_combination.py",)  # not even collected without --exhaustive: thousands of tests
# Packed images with a script that unpacks them; see README, "Tests".
PACKED_DATA = Path(os.environ.get("HNET_TEST_DATA") or REPOSITORY.parent / "shared" / "data")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--runslow", action="store_true", help="also run the tests marked slow")
    parser.addoption("--chaos", action="store_true", help="also run the tests marked chaos")
    parser.addoption("--exhaustive", action="store_true", help="also run the thousands of tests of EXHAUSTIVE")


def pytest_configure(config: pytest.Config) -> None:
    if not config.getoption("--runslow"):
        settings.register_profile("fast", settings.default, max_examples=FAST_EXAMPLES)
        settings.load_profile("fast")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    return True if collection_path.name in EXHAUSTIVE and not config.getoption("--exhaustive") else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    left_out = {
        mark: pytest.mark.skip(reason=f"{mark}: run with {option}")
        for mark, option in (("slow", "--runslow"), ("chaos", "--chaos"))
        if not config.getoption(option)
    }
    images = pytest.mark.skip(reason=f"no real images in {PACKED_DATA} (set HNET_TEST_DATA)")
    for item in items:
        for mark, skip in left_out.items():
            if item.get_closest_marker(mark) is not None:
                item.add_marker(skip)
        # Continuous integration must have the images: there these tests fail instead of being skipped.
        if "mnist_root" in getattr(item, "fixturenames", ()) and not PACKED_DATA.exists() and not os.environ.get("CI"):
            item.add_marker(images)


@pytest.fixture(scope="session")
def mnist_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data root with real MNIST and Fashion-MNIST in torchvision's layout."""
    root = tmp_path_factory.getbasetemp().parent / "hnet-images"  # shared by the workers of one test run
    subprocess.run([sys.executable, str(PACKED_DATA / "unpack"), str(root), "mnist", "fashion_mnist"], check=True)
    return root


@pytest.fixture(autouse=True)
def _isolated(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep tests from reading or writing the user's data, cache or database, and Ray's workers from starving.

    Ray starts workers with niceness 15: beside other programs they would need minutes to import torch.
    """
    monkeypatch.setenv("RAY_worker_niceness", "0")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))
    monkeypatch.setenv("HNET_DATA", str(tmp_path_factory.getbasetemp() / "data"))
    monkeypatch.delenv("HNET_DB", raising=False)
    monkeypatch.delenv("COLUMNS", raising=False)  # of the terminal of the test run: tables fit into it


@pytest.fixture(scope="session", autouse=True)
def _migrations_are_read_once() -> Iterator[None]:
    """Let alembic execute the file of a migration once in a process.

    It does so whenever a database is created, and whenever Optuna opens its tables: a quarter of the time of a sweep of
    three tiny trials.
    """
    read = pyfiles.load_module_py

    @functools.cache
    def read_version(module_id: str, path: Path, changed_at: int) -> ModuleType:
        return read(module_id, path)

    def load_module(module_id: str, path: str | os.PathLike[str]) -> ModuleType:
        path = Path(path)
        if path.parent.name != "versions":  # env.py, which runs the migrations when it is executed
            return read(module_id, path)
        return read_version(module_id, path, path.stat().st_mtime_ns)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pyfiles, "load_module_py", load_module)
        yield


@pytest.fixture(scope="session", autouse=True)
def _commands_are_built_once() -> Iterator[None]:
    """Let typer turn its functions into commands once in a process, as in a run of hnet, not at each call of a test."""
    build = functools.cache(typer.main.get_command)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(typer.main, "get_command", build)
        patch.setattr(typer.testing, "_get_command", build)
        yield
