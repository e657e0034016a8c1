"""A sweep on a cluster of Ray's autoscaler, whose fake provider starts its nodes on this machine.

`ray.cluster_utils.AutoscalingCluster` is not used: it lacks a file in the wheel of Ray 2.60.0, and it begins with `ray
stop --force`, which ends every Ray on the machine.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

import studies
from perf.noop import noop_spec
from sweeps.ray_backend.session import QUIET
from sweeps.runner import run_sweep
from tests.sweeps.ray_trainables import RECORD, held_backend

MOST_NODES = 2
TRIALS = 6
OBJECTS = 100 * 2**20


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where jobs record their starts and are held; the nodes take the environment that the head starts in."""
    made = tmp_path / "jobs"
    made.mkdir()
    monkeypatch.setenv(RECORD, str(made))
    return made


@pytest.fixture
def autoscaling_head(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Address of a head without CPUs whose autoscaler starts up to two nodes of one CPU each."""
    path = str(Path(__file__).parents[2])
    for name, value in {
        **QUIET,
        "PYTHONPATH": path,
        "RAY_AUTH_MODE": "disabled",
    }.items():  # no token in the home folder
        monkeypatch.setenv(name, value)
    port = free_port()
    address, config = f"{own_ip()}:{port}", tmp_path / "autoscaler.json"
    config.write_text(json.dumps(autoscaler_config(address)))
    session = tempfile.mkdtemp(prefix="ray-")  # short, since it holds sockets
    command = [str(Path(sys.executable).with_name("ray")), "start", "--head", "--block", f"--port={port}"]
    command += ["--num-cpus=0", f"--object-store-memory={OBJECTS}", "--include-dashboard=false"]
    command += [f"--autoscaling-config={config}", f"--temp-dir={session}"]
    fake = {"RAY_FAKE_CLUSTER": "1", "AUTOSCALER_UPDATE_INTERVAL_S": "1"}
    with (tmp_path / "head.log").open("w") as log:
        head = subprocess.Popen(command, env={**os.environ, **fake}, stdout=log, stderr=log)
    try:
        wait_until(lambda: answers(port) or head.poll() is not None)
        assert head.poll() is None, (tmp_path / "head.log").read_text()
        yield address
    finally:
        kill_family(psutil.Process(head.pid))
        head.wait(60)
        shutil.rmtree(session, ignore_errors=True)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("", 0))
        return int(free.getsockname()[1])


def own_ip() -> str:
    from ray.util import get_node_ip_address

    return str(get_node_ip_address())


def autoscaler_config(address: str) -> dict[str, Any]:
    """Return what `ray start --autoscaling-config` reads, with an idle timeout of six seconds."""
    lists = ("initialization", "setup", "head_setup", "worker_setup", "head_start_ray", "worker_start_ray")
    node = {"resources": {"CPU": 1, "object_store_memory": OBJECTS}, "node_config": {}, "min_workers": 0}
    return {
        "cluster_name": "fake",
        "max_workers": MOST_NODES,
        "idle_timeout_minutes": 0.1,
        "upscaling_speed": 1.0,
        "provider": {
            "type": "fake_multinode",
            "gcs_address": address,
            "launch_multiple": True,
            "use_node_id_as_ip": True,  # all nodes have one IP; without it the autoscaler takes each for lost or unused
            "disable_node_updaters": True,  # there is no ssh
            "disable_launch_config_check": True,
        },
        "available_node_types": {
            "ray.head.default": {"resources": {"CPU": 0}, "node_config": {}, "max_workers": 0},
            "worker": {**node, "max_workers": MOST_NODES},
        },
        "head_node_type": "ray.head.default",
        "auth": {},
        "docker": {},
        "file_mounts": {},
        "file_mounts_sync_continuously": False,
        **{f"{name}_commands": [] for name in lists},
        **{name: [] for name in ("cluster_synced_files", "rsync_exclude", "rsync_filter")},
    }


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def kill_family(head: psutil.Process) -> None:
    """Kill a head, the autoscaler that it has started, the nodes of that one, and their workers.

    Each is stopped before its children are listed, so that none is missed. On SIGTERM the head would drain for half a
    minute.
    """
    family = [head]
    for process in family:
        try:
            process.suspend()
            family += process.children()
        except psutil.NoSuchProcess:
            continue
    for process in family:
        if process.is_running():
            process.kill()


def wait_until(condition: Callable[[], bool], seconds: float = 200) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.2)


def n_nodes(address: str) -> int:
    """Return the number of living nodes with a CPU."""
    from ray._raylet import GcsClient

    nodes = GcsClient(address=address).get_all_node_info().values()
    return sum(node.state == node.ALIVE and node.resources_total.get("CPU", 0) >= 1 for node in nodes)


@pytest.mark.slow
def test_nodes_are_started_for_a_sweep_and_end_while_its_last_trial_runs(
    autoscaling_head: str, folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    held = [folder / f"{number}.held" for number in (0, 1, TRIALS - 1)]
    for path in held:
        path.touch()
    seen, problems = [n_nodes(autoscaling_head)], list[BaseException]()

    def watch() -> None:
        try:
            wait_until(lambda: len(list(folder.glob("*.started"))) == 2)  # both held, so on a node each
            seen.append(n_nodes(autoscaling_head))
            for path in held[:2]:
                path.unlink()
            wait_until(lambda: len(list(folder.glob("*.started"))) == TRIALS)
            wait_until(lambda: any("Workers: 1" in one and "(was 2)" in one for one in caplog.messages))
            seen.append(n_nodes(autoscaling_head))
        except BaseException as error:
            problems.append(error)
        finally:
            for path in held:
                path.unlink(missing_ok=True)

    watching = threading.Thread(target=watch)
    watching.start()
    url = str(tmp_path / "a.db")
    with caplog.at_level(logging.INFO, "hnet"):
        outcome = run_sweep(noop_spec("random", TRIALS), url, address=autoscaling_head, backend=held_backend)
    watching.join()
    assert not problems
    wait_until(lambda: n_nodes(autoscaling_head) == 0)
    assert seen == [0, 2, 1]
    assert (outcome.counters.complete, outcome.counters.failed, outcome.counters.preempted) == (TRIALS, 0, 0)
    rows = [(row["number"], row["state"]) for row in studies.open(url).ledger("noop")]
    assert rows == [(number, "COMPLETE") for number in range(TRIALS)]
    assert sorted(path.name for path in folder.glob("*.started")) == [f"{n}.1.started" for n in range(TRIALS)]
    assert any("No node has room for a trial of 1 CPU" in one for one in caplog.messages)
