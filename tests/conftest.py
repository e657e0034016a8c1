"""Options of pytest and fixtures for all tests."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.postgres import empty_postgres, postgres_url  # noqa: F401  (fixtures)

REPOSITORY = Path(__file__).parent.parent
EXHAUSTIVE = ("test_every_combination.py",)  # not even collected without --exhaustive: thousands of tests
# Packed images with a script that unpacks them; see README, "Tests".
PACKED_DATA = Path(os.environ.get("HNET_TEST_DATA") or REPOSITORY.parent / "shared" / "data")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--runslow", action="store_true", help="also run the tests marked slow")
    parser.addoption("--chaos", action="store_true", help="also run the tests marked chaos")
    parser.addoption("--exhaustive", action="store_true", help="also run the thousands of tests of EXHAUSTIVE")


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
