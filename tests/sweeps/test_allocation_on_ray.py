"""Shares of CPUs and GPUs, and workers that follow a cluster, on real Ray with logical resources."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import studies
from perf.noop import SPEC
from studies.spec.spec import SweepSpec
from sweeps.fault_injection import LOG_VARIABLE
from sweeps.ray_backend.session import QUIET
from sweeps.runner import run_sweep
from tests.sweeps.ray_trainables import (
    PAUSE,
    PAUSE_AFTER,
    RECORD,
    TOGETHER,
    at_once,
    breaking_backend,
    pausing_backend,
    waiting_backend,
)
from tests.sweeps.tiny import SPEC as TRAINED
from tests.sweeps.tiny import tiny_spec

OBJECTS = {"object_store_memory": 100 * 2**20}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the jobs record themselves; the nodes take the environment they start in."""
    made = tmp_path / "jobs"
    made.mkdir()
    monkeypatch.setenv(RECORD, str(made))
    monkeypatch.setenv(TOGETHER, "1")
    return made


@pytest.fixture
def empty_cluster(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Iterator[Any]:
    """A cluster whose head has no CPU."""
    for name, value in {**QUIET, "PYTHONPATH": str(Path(__file__).parents[2])}.items():
        monkeypatch.setenv(name, value)
    from ray.cluster_utils import Cluster

    # without hooks at exit, since those need the main thread, and nodes are added by others
    made = Cluster(True, head_node_args={"num_cpus": 0, "num_gpus": 0, **OBJECTS}, shutdown_at_exit=False)
    yield made
    made.shutdown()


def spec_of(trials: int, **changes: Any) -> SweepSpec:
    return SweepSpec.model_validate({**SPEC, "sampler": "random", "budget": {"trials": trials}, **changes})


def states(url: str, study: str) -> list[str]:
    try:
        return [row["state"] for row in studies.open(url).ledger(study)]
    except Exception:  # the driver is still making the tables
        return []


def wait_until(condition: Callable[[], bool], seconds: float = 300) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.2)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("node", "workers", "resources", "expected"),
    [
        ({"num_cpus": 8, "num_gpus": 4}, 6, None, 6),
        ({"num_cpus": 8, "num_gpus": 1}, 3, None, 3),
        ({"num_cpus": 8, "num_gpus": 2}, None, None, 2),
        ({"num_cpus": 8}, None, {"cpus": 3}, 2),
    ],
    ids=["six workers on four GPUs", "three on one", "one each by default", "three CPUs each of eight"],
)
def test_so_many_trials_run_at_a_time(
    empty_cluster: Any,
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    node: dict[str, int],
    workers: int | None,
    resources: dict[str, int] | None,
    expected: int,
) -> None:
    monkeypatch.setenv(TOGETHER, str(expected))
    empty_cluster.add_node(**node, **OBJECTS)
    empty_cluster.wait_for_nodes()
    spec = spec_of(expected + 1, **({} if resources is None else {"resources": resources}))
    url = str(tmp_path / "a.db")
    outcome = run_sweep(spec, url, workers=workers, address=empty_cluster.address, backend=waiting_backend)
    assert outcome.counters.complete == expected + 1
    assert at_once(folder) == expected


@pytest.mark.slow
def test_workers_follow_a_cluster_that_grows_from_nothing_and_shrinks(
    empty_cluster: Any, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    url, problems = str(tmp_path / "a.db"), list[BaseException]()
    (folder / PAUSE).touch()

    def change() -> None:
        try:
            wait_until(lambda: any("No node has room for a trial of 1 CPU" in one for one in caplog.messages))
            large = empty_cluster.add_node(num_cpus=3, **OBJECTS)
            empty_cluster.add_node(num_cpus=1, **OBJECTS)
            wait_until(lambda: len(list(folder.glob("*.running"))) == 4)
            empty_cluster.remove_node(large, allow_graceful=False)
            for path in folder.glob("*.running"):  # those of the node that is lost stay otherwise
                path.unlink(missing_ok=True)
        except BaseException as error:
            problems.append(error)
        finally:
            (folder / PAUSE).unlink()

    changes = threading.Thread(target=change)
    changes.start()
    with caplog.at_level(logging.INFO, "hnet"):
        outcome = run_sweep(
            spec_of(12, limits={"retries": 0}), url, address=empty_cluster.address, backend=waiting_backend
        )
    changes.join()
    assert not problems
    assert (outcome.counters.complete, outcome.counters.failed) == (12, 0)
    assert states(url, "noop") == ["COMPLETE"] * 12
    workers = [one for one in caplog.messages if one.startswith("Workers: ")]
    assert workers[-1].startswith("Workers: 1, as many as the cluster has room for")
    assert any(one.startswith("Workers: 4") for one in workers)
    assert outcome.counters.preempted >= 1


FAMILIES = {
    "families": {"small": {"training": {"batch_size": 16}}, "large": {"training": {"batch_size": 32}}},
    "resources": {"families": {"large": {"cpus": 2}}},
    "search": {**SPEC["search"], "family": {"choice": ["small", "large"]}},
}


@pytest.mark.slow
def test_families_of_different_resources_take_turns_on_the_same_cpus(
    empty_cluster: Any, folder: Path, tmp_path: Path
) -> None:
    empty_cluster.add_node(num_cpus=2, **OBJECTS)
    empty_cluster.wait_for_nodes()
    enqueue = [{"family": name} for name in ("small", "large") * 3]
    url = str(tmp_path / "a.db")
    spec = spec_of(6, **FAMILIES, enqueue=enqueue)
    outcome = run_sweep(spec, url, address=empty_cluster.address, backend=waiting_backend)
    assert outcome.counters.complete == 6


@pytest.mark.slow
def test_a_process_that_is_broken_for_good_from_its_third_trial_on_is_replaced(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    url = str(tmp_path / "a.db")
    with caplog.at_level(logging.WARNING, "hnet"):
        outcome = run_sweep(spec_of(7), url, workers=1, backend=breaking_backend)
    assert (outcome.counters.complete, outcome.counters.failed) == (7, 0)
    reason = "RuntimeError: CUDA error: an illegal memory access was encountered; attempt 2 follows"
    assert caplog.messages == [f"trial {number}: {reason}" for number in (2, 4, 6)]


@pytest.mark.slow
def test_a_trial_completes_although_its_node_is_lost_five_times(
    empty_cluster: Any, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, problems = str(tmp_path / "a.db"), list[BaseException]()
    trial = {**TRAINED["trial"], "stream": {**TRAINED["trial"]["stream"], "n_tasks": 5}}
    spec = tiny_spec(trial=trial, seeds=2, budget={"trials": 1}, limits={"retries": 0})
    monkeypatch.setenv(PAUSE_AFTER, "1")  # every attempt trains one task, the last one the rest
    monkeypatch.setenv(LOG_VARIABLE, str(tmp_path / "points.log"))
    (folder / PAUSE).touch()

    def kill_five_times() -> None:
        try:
            node = empty_cluster.add_node(num_cpus=1, **OBJECTS)
            for attempt in range(1, 6):
                wait_until((folder / f"0.{attempt}.paused").exists)
                empty_cluster.remove_node(node, allow_graceful=attempt % 2 == 1)
                node = empty_cluster.add_node(num_cpus=1, **OBJECTS)
        except BaseException as error:
            problems.append(error)
        finally:
            (folder / PAUSE).unlink()

    killer = threading.Thread(target=kill_five_times)
    killer.start()
    outcome = run_sweep(
        spec, url, address=empty_cluster.address, storage=str(tmp_path / "checkpoints"), backend=pausing_backend
    )
    killer.join()
    assert not problems
    assert (outcome.counters.complete, outcome.counters.preempted) == (1, 5)
    assert studies.open(url).ledger("tiny")[0]["attempt"] == 6
    trained = (tmp_path / "points.log").read_text().splitlines().count("mid_train")
    assert trained == 2 * 5, "finished tasks were trained again"
