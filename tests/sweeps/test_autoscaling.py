"""A sweep on a cluster of Ray's autoscaler, whose fake provider starts its nodes on this machine.

`ray.cluster_utils.AutoscalingCluster` is not used: it lacks a file in the wheel of Ray 2.60.0, and it begins with `ray
stop --force`, which ends every Ray on the machine.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest

import studies
from sweeps.ray_backend.session import QUIET
from tests.sweeps.ray_trainables import RECORD

MOST_NODES = 2
TRIALS = 6
OBJECTS = 100 * 2**20
# In a process of its own: Ray reads RAY_AUTH_MODE once per process, and other tests join clusters that want a token.
SWEEP = f"""
import json, logging, sys
from perf.noop import noop_spec
from sweeps.runner import run_sweep
from tests.sweeps.ray_trainables import held_backend

logging.basicConfig(level=logging.INFO, format="%(message)s")
address, url = sys.argv[1:]
counters = run_sweep(noop_spec("random", {TRIALS}), url, address=address, backend=held_backend).counters
print(json.dumps([counters.complete, counters.failed, counters.preempted]))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder where jobs record their starts and are held."""
    made = tmp_path / "jobs"
    made.mkdir()
    return made


@pytest.fixture
def environment(folder: Path) -> dict[str, str]:
    """Environment of the cluster and of the sweep, without a token from the home folder."""
    own = {"PYTHONPATH": str(Path(__file__).parents[2]), "RAY_AUTH_MODE": "disabled", RECORD: str(folder)}
    return {**os.environ, **QUIET, **own}


@pytest.fixture
def autoscaling_head(environment: Mapping[str, str], tmp_path: Path) -> Iterator[tuple[str, psutil.Process]]:
    """Address and process of a head without CPUs whose autoscaler starts up to two nodes of one CPU each."""
    port = free_port()
    address, config = f"{own_ip()}:{port}", tmp_path / "autoscaler.json"
    config.write_text(json.dumps(autoscaler_config(address)))
    session = tempfile.mkdtemp(prefix="ray-")  # short, since it holds sockets
    command = [str(Path(sys.executable).with_name("ray")), "start", "--head", "--block", f"--port={port}"]
    command += ["--num-cpus=0", f"--object-store-memory={OBJECTS}", "--include-dashboard=false"]
    command += [f"--autoscaling-config={config}", f"--temp-dir={session}"]
    fake = {"RAY_FAKE_CLUSTER": "1", "AUTOSCALER_UPDATE_INTERVAL_S": "1"}
    with (tmp_path / "head.log").open("w") as log:
        head = psutil.Popen(command, env={**environment, **fake}, stdout=log, stderr=log)
    try:
        wait_until(lambda: answers(port) or head.poll() is not None)
        assert head.poll() is None, (tmp_path / "head.log").read_text()
        yield address, head
    finally:
        kill_family(head)
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


def n_nodes(head: psutil.Process) -> int:
    """Return the number of nodes beside the head, each of which has a raylet."""
    return sum(process.name() == "raylet" for process in head.children(recursive=True)) - 1


@pytest.mark.slow
def test_nodes_are_started_for_a_sweep_and_end_while_its_last_trial_runs(
    autoscaling_head: tuple[str, psutil.Process], environment: Mapping[str, str], folder: Path, tmp_path: Path
) -> None:
    address, head = autoscaling_head
    held = [folder / f"{number}.held" for number in (0, 1, TRIALS - 1)]
    for path in held:
        path.touch()
    url, log = str(tmp_path / "a.db"), tmp_path / "sweep.log"
    wait_until(lambda: n_nodes(head) == 0)  # that of the head has started
    with log.open("w") as stderr:
        command = [sys.executable, "-c", SWEEP, address, url]
        sweep = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=stderr, text=True)

    def wait_for_jobs(number: int) -> None:
        wait_until(lambda: len(list(folder.glob("*.started"))) == number or sweep.poll() is not None)
        assert sweep.poll() is None, log.read_text()

    try:
        wait_for_jobs(2)  # both held, so on a node each
        assert n_nodes(head) == 2
        for path in held[:2]:
            path.unlink()
        wait_for_jobs(TRIALS)
        wait_until(lambda: "Workers: 1, as many as the cluster has room for (was 2)" in log.read_text())
        assert n_nodes(head) == 1
        held[-1].unlink()
        counted, _ = sweep.communicate(timeout=200)
    finally:
        sweep.kill()
    wait_until(lambda: n_nodes(head) == 0)
    assert json.loads(counted.splitlines()[-1]) == [TRIALS, 0, 0], log.read_text()
    rows = [(row["number"], row["state"]) for row in studies.open(url).ledger("noop")]
    assert rows == [(number, "COMPLETE") for number in range(TRIALS)]
    assert sorted(path.name for path in folder.glob("*.started")) == [f"{n}.1.started" for n in range(TRIALS)]
    assert "No node has room for a trial of 1 CPU" in log.read_text()
