"""Contract of the three checkpoint stores."""

from __future__ import annotations

import dataclasses
import errno
from pathlib import Path
from typing import Any

import pytest

from hnet_core.errors import ConfigInvalid
from sweeps.checkpoints import Checkpoints, InMemory, from_bytes, open_checkpoints, prepare, remove
from sweeps.jobs import Job
from sweeps.worker import work
from tests.sweeps.tiny import tiny_spec


@pytest.fixture(params=["folder", "uri", "in memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Checkpoints:
    if request.param == "in memory":
        return InMemory({})
    path = tmp_path / "study" / "0"
    return open_checkpoints(str(path) if request.param == "folder" else f"file://{path}")


def test_the_newest_checkpoint_of_each_name_is_read_back(store: Checkpoints) -> None:
    assert store.read_all() == {}
    for name, content in (("seed-0", b"old"), ("seed-1-2", b"other"), ("seed-0", b"new")):
        store.write(name, content)
    assert store.read_all() == {"seed-0": b"new", "seed-1-2": b"other"}


def test_a_job_resumes_from_any_store_to_the_same_result(store: Checkpoints, tmp_path: Path) -> None:
    job = Job(0, 1, tiny_spec().config().model_dump(mode="json"), (0, 1), "", str(tmp_path / "unused"))
    undisturbed: Any = list(work(job, InMemory({})))[-1]
    first = work(job, store)
    next(first)
    first.close()  # type: ignore[attr-defined]
    assert from_bytes(store.read_all()["seed-0"])[0]["seed"] == 0
    steps = list(work(job, store))
    assert [getattr(step, "tasks_done", None) for step in steps] == [2, 3, 4, None]
    for mine, other in zip(steps[-1].results, undisturbed.results, strict=True):  # type: ignore[union-attr]
        assert (mine["test"], mine["validation"]) == (other["test"], other["validation"])


def test_a_checkpoint_in_memory_is_sent_once() -> None:
    checkpoints = InMemory({"seed-3": b"before"})
    assert (checkpoints.read_all(), checkpoints.take_unsent()) == ({"seed-3": b"before"}, None)
    checkpoints.write("seed-4", b"now")
    assert (checkpoints.take_unsent(), checkpoints.take_unsent()) == (("seed-4", b"now"), None)


@pytest.mark.parametrize("scheme", ["", "file://"])
def test_a_location_is_created_and_removed(scheme: str, tmp_path: Path) -> None:
    location = prepare(f"{scheme}{tmp_path}/study")
    open_checkpoints(f"{location}/7").write("seed-0", b"x")
    remove(f"{location}/7")
    assert open_checkpoints(f"{location}/7").read_all() == {}
    remove(location)
    remove(location)
    assert not (tmp_path / "study").exists()


@pytest.mark.parametrize("location", ["nowhere://x/y", "/proc/no/such/place"])
def test_a_location_that_cannot_exist_is_refused(location: str) -> None:
    with pytest.raises(ConfigInvalid, match="--storage"):
        prepare(location)


def test_a_folder_that_is_not_writable_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*arguments: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("sweeps.checkpoints.Folder.write", refused)
    with pytest.raises(ConfigInvalid, match=r"can be written, got .* \(Permission denied\); name another"):
        prepare(str(tmp_path))


def test_a_job_survives_serialization() -> None:
    job = Job(
        1, 2, {"a": 1}, (0, 1), "data", "s3://bucket/1", rungs=(1, 3), lengths=(1, 1, 1), race=True, via_driver=True
    )
    assert Job.from_dict(dataclasses.asdict(job)) == job
