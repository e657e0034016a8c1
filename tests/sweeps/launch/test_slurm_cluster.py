"""Sweeps on a real Slurm: two nodes in network namespaces of this machine, each with a Slurm daemon of its own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
import yaml

import studies
from sweeps.launch.slurm import SlurmJob, slurm_script
from sweeps.launch.sweep_command import SweepCommand
from tests.sweeps.tiny import SPEC

TOOLS = ("slurmctld", "slurmd", "munged", "sbatch", "unshare", "nsenter", "ip")
MISSING = [tool for tool in TOOLS if shutil.which(tool, path=f"{os.environ['PATH']}:/usr/sbin:/sbin") is None]
REPOSITORY = Path(__file__).parents[3]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(MISSING), reason=f"Slurm is not installed here: no {', '.join(MISSING)}"),
    pytest.mark.skipif(
        os.geteuid() != 0, reason="a Slurm cluster on one machine needs root, for its network namespaces"
    ),
]


class Cluster:
    """The cluster, entered from this process; `folder` is on a disk that all nodes share."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        script = [str(Path(__file__).with_name("slurm_cluster.sh")), str(folder), "4"]
        isolated = ["unshare", "--net", "--mount", "--uts", "--pid", "--fork", "--mount-proc", "--kill-child"]
        path = {**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"}
        self._process = subprocess.Popen([*isolated, "sh", *script], stdout=subprocess.PIPE, text=True, env=path)
        assert self._process.stdout is not None
        if "ready" not in (said := self._process.stdout.readline()):
            self.close()
            pytest.skip(f"no Slurm cluster can be made here: {said}")
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text()
        self._inside = children.split()[0]

    def run(self, *command: str, **environment: str) -> str:
        enter = ["nsenter", "--target", self._inside, "--net", "--mount", "--uts", "--pid", f"--wd={self.folder}", "--"]
        slurm = {"SLURM_CONF": str(self.folder / "slurm.conf"), "PYTHONPATH": str(REPOSITORY), **environment}
        done = subprocess.run(
            [*enter, *command], env={**os.environ, **slurm}, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()

    def start_again(self, job: str) -> None:
        """Start a job that was queued again without the two minutes that Slurm waits for.

        Not within the second in which its nodes gave it up: they refuse a credential of that second as revoked, and
        the job fails.
        """
        wait_until(lambda: self.fields(job)[0]["JobState"] == "PENDING", lambda: str(self.fields(job)))
        self.run("scontrol", "update", f"JobId={job}", "StartTime=now+3")

    def close(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def submit(self, job: SlurmJob, study: str, **changes: object) -> str:
        """Write and submit the script of a sweep; its database is `STUDY.db`."""
        spec = self.folder / f"{study}.yaml"
        spec.write_text(yaml.safe_dump({**SPEC, "study": study, "seeds": 1, **changes}))
        sweep = SweepCommand(str(spec), study, str(self.folder / f"{study}.db"), workers=2)
        path = self.folder / f"{study}.sbatch"
        path.write_text(slurm_script(job, sweep))
        places = {"XDG_CACHE_HOME": str(self.folder / "cache"), "HNET_SCRATCH": str(self.folder / "tmp")}
        return self.run("sbatch", "--parsable", str(path), **places)

    def fields(self, job: str) -> list[dict[str, str]]:
        """What scontrol knows of a job, or of each job of an array."""
        lines = self.run("scontrol", "--oneliner", "show", "job", job).splitlines()
        return [dict(word.partition("=")[::2] for word in line.split()) for line in lines]

    def log(self, study: str) -> str:
        return "\n".join(path.read_text() for path in sorted(self.folder.glob(f"hnet-{study}-*.log")))


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    folder = Path(tempfile.mkdtemp(prefix="s-", dir="/var/tmp"))
    made = Cluster(folder)
    try:
        yield made
    finally:
        made.close()
        shutil.rmtree(folder, ignore_errors=True)


def wait_until(condition: Callable[[], bool], explain: Callable[[], str], seconds: float = 600) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, explain()
        time.sleep(2)


def states(cluster: Cluster, study: str) -> dict[int, str]:
    try:
        rows = studies.open(str(cluster.folder / f"{study}.db")).ledger(study)
    except Exception:  # not copied back yet
        return {}
    return {row["number"]: row["state"] for row in rows}


def has_ended(cluster: Cluster, job: str) -> bool:
    return not any(one["JobState"] in ("PENDING", "RUNNING", "COMPLETING") for one in cluster.fields(job))


def longer(iterations: int) -> dict[str, object]:
    return {**SPEC["trial"], "training": {"iterations": iterations, "batch_size": 16}}


def test_a_job_that_is_requeued_goes_on_and_ends_with_every_trial_once(cluster: Cluster) -> None:
    job = cluster.submit(SlurmJob(nodes=2, cpus=1), "requeued", trial=longer(2000), budget={"trials": 6})
    wait_until(lambda: "COMPLETE" in states(cluster, "requeued").values(), lambda: cluster.log("requeued"))
    cluster.run("scontrol", "requeue", job)
    cluster.start_again(job)
    wait_until(lambda: has_ended(cluster, job), lambda: cluster.log("requeued"))
    (fields,) = cluster.fields(job)
    assert (fields["JobState"], fields["ExitCode"], fields["Restarts"]) == ("COMPLETED", "0:0", "1"), cluster.log(
        "requeued"
    )
    assert states(cluster, "requeued") == dict.fromkeys(range(6), "COMPLETE")
    assert cluster.log("requeued").count("2 of 2 nodes have joined") == 2
    assert not list(cluster.folder.glob("requeued.db.*")), "nothing is left beside the database"
    assert not list((cluster.folder / "tmp").glob("hnet-*")), "nothing is left on the nodes"


def test_before_the_time_limit_a_job_is_queued_again_and_scancel_ends_it_for_good(cluster: Cluster) -> None:
    job = cluster.submit(SlurmJob(nodes=2, cpus=1, time="4"), "limited", trial=longer(10**6), budget={"trials": 2})
    wait_until(lambda: cluster.fields(job)[0]["Restarts"] == "1", lambda: cluster.log("limited"))
    assert "terminated; the same command resumes" in cluster.log("limited")
    assert "queued again and goes on from its checkpoints" in cluster.log("limited")
    assert "DUE TO TIME LIMIT" not in cluster.log("limited"), "Slurm did not have to kill it"
    assert states(cluster, "limited") == {0: "RUNNING", 1: "RUNNING"}
    cluster.start_again(job)
    wait_until(lambda: "2 interrupted and resumed" in cluster.log("limited"), lambda: cluster.log("limited"))
    cluster.run("scancel", job)
    wait_until(lambda: has_ended(cluster, job), lambda: cluster.log("limited"))
    (fields,) = cluster.fields(job)
    assert (fields["JobState"], fields["Restarts"]) == ("CANCELLED", "1")
    assert cluster.log("limited").count("queued again") == 1


def test_the_jobs_of_an_array_join_one_driver(cluster: Cluster) -> None:
    job = cluster.submit(SlurmJob(nodes=2, array=True, cpus=1), "array", trial=longer(500), budget={"trials": 5})
    wait_until(lambda: has_ended(cluster, job), lambda: cluster.log("array"))
    assert [(one["JobState"], one["ExitCode"]) for one in cluster.fields(job)] == [("COMPLETED", "0:0")] * 2
    assert states(cluster, "array") == dict.fromkeys(range(5), "COMPLETE")
    assert not (cluster.folder / f".hnet-{job}").exists()


def test_the_login_node_watches_and_stops_a_sweep_that_works_on_a_local_copy(cluster: Cluster) -> None:
    job = cluster.submit(SlurmJob(cpus=2), "stopped", trial=longer(1000), budget={"trials": 500})
    wait_until(lambda: "COMPLETE" in states(cluster, "stopped").values(), lambda: cluster.log("stopped"))
    database = str(cluster.folder / "stopped.db")
    assert (cluster.folder / "stopped.db.working").exists()
    status = cluster.run(sys.executable, "-m", "sweeps", "sweep", "status", "stopped", "--db", database)
    assert "host: n1" in status
    cluster.run(sys.executable, "-m", "sweeps", "sweep", "stop", "stopped", "--db", database)
    wait_until(lambda: has_ended(cluster, job), lambda: cluster.log("stopped"))
    assert cluster.fields(job)[0]["JobState"] == "COMPLETED"
    assert set(states(cluster, "stopped").values()) == {"COMPLETE"}


def test_two_jobs_on_one_node_have_a_cluster_each(cluster: Cluster) -> None:
    jobs = [cluster.submit(SlurmJob(cpus=2), f"pair{n}", trial=longer(500), budget={"trials": 2}) for n in range(2)]
    wait_until(
        lambda: all(one["JobState"] == "RUNNING" for job in jobs for one in cluster.fields(job)),
        lambda: cluster.log("pair0") + cluster.log("pair1"),
    )
    places = {one["NodeList"] for job in jobs for one in cluster.fields(job)}
    assert places == {"n1"}, "the nodes have room for two such jobs"
    for number, job in enumerate(jobs):
        study = f"pair{number}"
        wait_until(partial(has_ended, cluster, job), partial(cluster.log, study))
        assert states(cluster, study) == dict.fromkeys(range(2), "COMPLETE")
