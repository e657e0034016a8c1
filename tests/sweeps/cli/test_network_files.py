"""`hnet doctor` and `hnet sweep run` warn of a SQLite database on a network file system and name the remedies."""

from __future__ import annotations

from pathlib import Path

import pytest

from studies.database import network_files
from tests.sweeps.cli.test_sweep import Hnet, hnet, spec  # noqa: F401  (fixtures)

# ruff: noqa: F811  (fixtures of another test file)


@pytest.fixture(autouse=True)
def _everything_is_on_nfs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mounts").write_text("1 0 0:1 / / rw - nfs4 server:/ rw\n")
    monkeypatch.setattr(network_files.network_filesystem, "__defaults__", (tmp_path / "mounts",))


def test_a_sweep_warns_and_goes_on(hnet: Hnet, spec: str) -> None:
    done = hnet("sweep", "run", spec, "--set", "budget.trials=1")
    assert done.code == 0
    (warning,) = [line for line in done.err.splitlines() if line.startswith("Warning:")]
    assert all(part in warning for part in ("nfs4", "--scratch", "postgresql://"))


def test_a_local_copy_needs_no_warning_and_has_the_result(hnet: Hnet, spec: str, tmp_path: Path) -> None:
    done = hnet("sweep", "run", spec, "--set", "budget.trials=1", "--scratch", str(tmp_path / "scratch"))
    assert (done.code, "Warning" in done.err) == (0, False), done.err
    assert hnet("sweep", "status", "tiny", "--format", "json").json["done"] == 1


@pytest.mark.parametrize("exists", [False, True])
def test_the_doctor_names_it_and_finds_nothing_missing(exists: bool, hnet: Hnet) -> None:
    if exists:
        hnet("db", "init")
    rows = {row["check"]: row for row in hnet("doctor", "--format", "json").json["rows"]}
    assert rows["database"]["ok"]
    assert "warning: the database hnet.db is on a network file system (nfs4)" in rows["database"]["found"]
