"""The sweep that `python -m perf.chaos` injects faults into, and the report of them."""

from __future__ import annotations

import contextlib
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

import studies
from perf.chaos.cluster import ChangingCluster
from studies.database.row_types import LedgerRow

SPEC: dict[str, Any] = {
    "study": "chaos",
    "trial": {
        "stream": {"name": "permuted", "dataset": "digits", "n_tasks": 4},
        "method": {"name": "hnet", "beta_output": 0.01},
        "target": {"name": "mlp", "hidden": [30]},
        "hypernet": {"name": "chunked", "hidden": [10], "task_embedding": 8, "chunk_embedding": 8, "chunk_size": 100},
        "training": {"iterations": 150, "batch_size": 32},
    },
    "search": {
        "method.beta_output": {"float": [0.0005, 1.0], "log": True},
        "hypernet.chunk_size": {"int": [20, 500], "log": True},
    },
    "sampler": "random",
    "seeds": 2,
    "limits": {"task_minutes": 0.5, "retries": 50},
    "budget": {"trials": 100000},
}


@dataclass
class ChaosReport:
    """Faults injected into the sweep, and the state of its trials afterwards."""

    database: str
    minutes: float
    cluster: bool = False
    kills: int = 0
    nodes_killed: int = 0
    nodes_removed: int = 0
    nodes_added: int = 0
    starts: int = 0
    blows: dict[str, int] = field(default_factory=dict)
    exits: dict[int, int] = field(default_factory=dict)
    asked: int = 0
    states: dict[str, int] = field(default_factory=dict)
    lost: int = 0
    duplicated: int = 0
    stuck: int = 0

    def note_exit(self, code: int) -> None:
        self.exits[code] = self.exits.get(code, 0) + 1


class Sweep:
    """The sweep under test: one command, restarted whenever it has ended."""

    def __init__(self, folder: Path, url: str, report: ChaosReport, cluster: ChangingCluster | None = None) -> None:
        self.folder = folder
        self.url = url
        self.cluster = cluster
        self.report = report
        self.driver: psutil.Popen | None = None
        self.victims: list[psutil.Process] = []
        self._log = (folder / "drivers.log").open("a")

    def ensure(self) -> psutil.Popen:
        """Return the running driver, restarted if it has ended."""
        if self.driver is not None and self.driver.poll() is None:
            return self.driver
        if self.driver is not None:
            self.report.note_exit(self.driver.returncode)
        self.report.starts += 1
        self.driver = self.start()
        return self.driver

    def start(self, *more: str) -> psutil.Popen:
        command = [sys.executable, "-m", "sweeps", "sweep", "run", str(self.folder / "spec.yaml"), "--db", self.url]
        environment = {**os.environ, "XDG_CACHE_HOME": str(self.folder / "cache")}
        where = ["--workers", "2"] if self.cluster is None else ["--address", self.cluster.address]
        return psutil.Popen(
            [*command, *where, *more], env=environment, stdout=self._log, stderr=self._log,
            start_new_session=True,
        )  # fmt: skip

    def workers(self) -> list[psutil.Process]:
        """Return the training processes: descendants of this driver, or of the nodes that this process has started."""
        found = []
        with contextlib.suppress(psutil.Error):
            ancestor = self.ensure() if self.cluster is None else psutil.Process()
            for process in ancestor.children(recursive=True):
                with contextlib.suppress(psutil.Error):
                    if "ResourceTrainable" in " ".join(process.cmdline()):
                        found.append(process)
        return found

    def quiet_run(self) -> int:
        """Run the sweep once more without faults, to finish running trials without new ones; return its exit code."""
        if self.cluster is not None:
            while self.cluster.add():
                pass
        rows = self.ledger()
        counted = [row for row in rows if row["duplicate_of"] is None and row["state"] != "SKIPPED"]
        last = self.start("--set", f"budget.trials={max(len(counted), 1)}")
        return int(last.wait())

    def ledger(self) -> list[LedgerRow]:
        return studies.open(self.url).ledger("chaos")
