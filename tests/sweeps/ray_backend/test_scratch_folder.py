"""The temporary folder of a sweep: short enough for sockets, and deleted after a kill too."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from hnet_core.errors import ConfigInvalid
from studies.processes import own_identity
from sweeps.ray_backend import scratch_folder as module
from sweeps.ray_backend.scratch_folder import MAX_PATH, OWNER, scratch_folder


@pytest.fixture
def parent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that counts as short enough."""
    monkeypatch.setattr(module, "MAX_PATH", 1000)
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    return tmp_path


def test_the_folder_is_deleted_at_the_end(parent: Path) -> None:
    with scratch_folder() as folder:
        assert folder.parent == parent and folder.is_dir()
    assert list(parent.iterdir()) == []


def test_a_short_folder_replaces_one_whose_path_is_too_long_for_a_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAY_TMPDIR", raising=False)
    monkeypatch.setattr(tempfile, "tempdir", "/x" * 50)
    with scratch_folder() as folder:
        assert folder.parent == Path("/tmp")
        assert len(str(folder.parent)) <= MAX_PATH


def test_without_a_folder_that_can_be_written_the_error_names_the_variable(
    parent: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_TMPDIR", str(parent / "absent"))
    with pytest.raises(ConfigInvalid, match="export RAY_TMPDIR=FOLDER"), scratch_folder():
        pass


def test_only_folders_of_dead_processes_are_deleted(parent: Path) -> None:
    identity = own_identity()
    if identity is None:
        pytest.skip("this system has no /proc")
    boot, namespace, started = identity.split(".")
    owners = {
        "hnet-dead": f"{os.getpid()} {boot}.{namespace}.1",
        "hnet-mine": f"{os.getpid()} {identity}",
        "hnet-of-another-container": f"{os.getpid()} {boot}.1.{started}",
        "hnet-broken": "?",
    }
    for name, owner in owners.items():
        (parent / name).mkdir()
        (parent / name / OWNER).write_text(owner)
    (parent / "hnet-foreign").mkdir()
    with scratch_folder():
        pass
    expected = {"hnet-mine", "hnet-of-another-container", "hnet-broken", "hnet-foreign"}
    assert {path.name for path in parent.iterdir()} == expected
