"""A sweep on several Ray nodes (several raylets on this machine), one of which is killed."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import studies
from sweeps.fault_injection import LOG_VARIABLE
from sweeps.ray_backend.session import QUIET
from sweeps.runner import run_sweep
from tests.sweeps.ray_trainables import PAUSE, PAUSE_AFTER, RECORD, pausing_backend
from tests.sweeps.tiny import SPEC, inline, tiny_spec

OBJECTS = {"object_store_memory": 100 * 2**20}
TASKS = 5
SPEC_OF_TASKS: dict[str, Any] = {
    "trial": {**SPEC["trial"], "stream": {**SPEC["trial"]["stream"], "n_tasks": TASKS}},
    "seeds": 1,
}


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    """A head and its environment; trials pause after two tasks until the file PAUSE is removed."""
    paths = {RECORD: str(tmp_path), LOG_VARIABLE: str(tmp_path / "points.log")}
    for name, value in {**QUIET, "PYTHONPATH": str(Path(__file__).parents[2]), PAUSE_AFTER: "2", **paths}.items():
        monkeypatch.setenv(name, value)
    (tmp_path / PAUSE).touch()
    from ray.cluster_utils import Cluster

    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, **OBJECTS})
    yield made
    made.shutdown()


@pytest.mark.slow
@pytest.mark.parametrize("storage", ["none", "path", "uri"])
def test_trials_of_a_killed_node_resume_on_another_from_their_checkpoints(
    cluster: Any, storage: str, tmp_path: Path
) -> None:
    node = cluster.add_node(num_cpus=1, **OBJECTS)
    cluster.wait_for_nodes()
    url, spec = str(tmp_path / "hnet.db"), tiny_spec(**SPEC_OF_TASKS, budget={"trials": 4})
    location = {"none": None, "path": str(tmp_path / "shared"), "uri": f"file://{tmp_path}/shared"}[storage]

    def kill_when_both_pause() -> None:
        end = time.monotonic() + 240
        while time.monotonic() < end and len(list(tmp_path.glob("*.paused"))) < 2:
            time.sleep(0.05)
        cluster.remove_node(node, allow_graceful=False)
        (tmp_path / PAUSE).unlink()

    killer = threading.Thread(target=kill_when_both_pause, daemon=True)
    killer.start()
    outcome = run_sweep(spec, url, workers=2, address=cluster.address, storage=location, backend=pausing_backend)
    killer.join()
    assert (outcome.counters.complete, outcome.counters.failed) == (4, 0)
    assert sorted(row["attempt"] for row in studies.open(url).ledger("tiny")) == [1, 1, 1, 2]
    trained = (tmp_path / "points.log").read_text().splitlines().count("mid_train")
    assert trained == 4 * TASKS, "finished tasks were trained again"
    alone = str(tmp_path / "alone.db")
    run_sweep(spec, alone, backend=inline)
    for number in range(4):
        ours, theirs = (studies.open(one).matrices("tiny", number) for one in (url, alone))
        assert np.array_equal(ours, theirs, equal_nan=True)
    assert not list((tmp_path / "shared").rglob("*.pt"))
