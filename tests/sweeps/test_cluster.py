"""A sweep on several Ray nodes (several raylets on this machine), one of which is killed."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import studies
from hnet_core.stacked import tasks_done
from sweeps.checkpoints import open_checkpoints
from sweeps.ray_backend.session import QUIET
from sweeps.runner import run_sweep
from sweeps.worker import latest_checkpoints
from tests.sweeps.tiny import SPEC, inline, tiny_spec

LONG: dict[str, Any] = {
    "trial": {**SPEC["trial"], "training": {"iterations": 400, "batch_size": 16}},
    "budget": {"trials": 4},
    "seeds": 1,
}


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name, value in {**QUIET, "PYTHONPATH": str(Path(__file__).parents[2])}.items():
        monkeypatch.setenv(name, value)
    from ray.cluster_utils import Cluster

    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "object_store_memory": 100 * 2**20})
    yield made
    made.shutdown()


@pytest.mark.slow
@pytest.mark.parametrize("storage", ["none", "path", "uri"])
def test_a_node_that_is_killed_loses_no_trial(cluster: Any, storage: str, tmp_path: Path) -> None:
    node = cluster.add_node(num_cpus=1, object_store_memory=100 * 2**20)
    cluster.wait_for_nodes()
    url = str(tmp_path / "hnet.db")
    location = {"none": None, "path": str(tmp_path / "shared"), "uri": f"file://{tmp_path}/shared"}[storage]

    def kill_when_running() -> None:
        end = time.monotonic() + 240
        while time.monotonic() < end:
            time.sleep(1)
            if os.path.exists(url) and sum(s == "COMPLETE" for s in states(url).values()) >= 1:
                cluster.remove_node(node, allow_graceful=False)
                return

    killer = threading.Thread(target=kill_when_running)
    killer.start()
    outcome = run_sweep(tiny_spec(**LONG), url, workers=2, address=cluster.address, storage=location)
    killer.join()
    assert (outcome.counters.complete, outcome.counters.failed) == (4, 0)
    assert states(url) == dict.fromkeys(range(4), "COMPLETE")
    alone = str(tmp_path / "alone.db")
    run_sweep(tiny_spec(**LONG), alone, backend=inline)
    ours, theirs = (
        studies.open(one).runs("tiny").sort_values(["number", "seed"])["final_accuracy"].tolist()
        for one in (url, alone)
    )
    assert ours == theirs
    assert not list((tmp_path / "shared").rglob("*.pt"))


TASKS = 5
SLOW = {
    **LONG,
    "trial": {**LONG["trial"], "stream": {**LONG["trial"]["stream"], "n_tasks": TASKS}},
    "budget": {"trials": 2},
}


@pytest.mark.slow
def test_a_trial_resumes_from_the_storage_on_another_node(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.setenv("HNET_CRASH_LOG", str(tmp_path / "points.log"))  # before the nodes start, so that they know it
    cluster = request.getfixturevalue("cluster")
    node = cluster.add_node(num_cpus=1, object_store_memory=100 * 2**20)
    cluster.wait_for_nodes()
    url, shared = str(tmp_path / "hnet.db"), tmp_path / "shared"

    def kill_when_both_have_checkpoints() -> None:
        end = time.monotonic() + 240
        while time.monotonic() < end and tasks_kept(shared) != {"0", "1"}:
            time.sleep(0.05)
        cluster.remove_node(node, allow_graceful=False)

    killer = threading.Thread(target=kill_when_both_have_checkpoints)
    killer.start()
    outcome = run_sweep(tiny_spec(**SLOW), url, workers=2, address=cluster.address, storage=str(shared))
    killer.join()
    assert outcome.counters.complete == 2
    assert sorted(row["attempt"] for row in studies.open(url).ledger("tiny")) == [1, 2]
    trained = (tmp_path / "points.log").read_text().splitlines().count("mid_train")
    assert trained <= 2 * TASKS + 1, "finished tasks were trained again"
    alone = str(tmp_path / "alone.db")
    run_sweep(tiny_spec(**SLOW), alone, backend=inline)
    for number in range(2):
        ours, theirs = (studies.open(one).matrices("tiny", number) for one in (url, alone))
        assert np.array_equal(ours, theirs, equal_nan=True)


def tasks_kept(shared: Path) -> set[str]:
    """Trials with checkpoints of at least two tasks."""
    kept = set()
    for folder in shared.glob("*/*"):
        found = latest_checkpoints(open_checkpoints(str(folder)))
        if any(tasks_done(checkpoint) >= 2 for checkpoint in found.values()):
            kept.add(folder.name)
    return kept


def states(url: str) -> dict[int, str]:
    try:
        return {row["number"]: row["state"] for row in studies.open(url).ledger("tiny")}
    except Exception:  # the driver is still making the tables
        return {}
