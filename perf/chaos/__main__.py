"""A running sweep under random faults, and the trials it loses: `python -m perf.chaos --minutes 10 --json`.

A sweep on digits is started from the command line. Every few seconds one of these happens: kill -9 of the driver or a
worker, SIGSTOP of a worker (considered hung after a time limit) or of the driver (with SIGCONT later), or an outage of
the database for a minute (PostgreSQL: SIGSTOP of the server; SQLite: a lock on its file). A driver that ended is
restarted by the same command. After the given minutes a last run without faults finishes the running trials.

Prints the number of kills, and: lost, suggested trial numbers without a final row; duplicated, trial numbers or
(number, seed) pairs that occur twice; stuck, trials still RUNNING in our tables or in Optuna's. The exit code is 1
unless all three are 0.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import signal
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import optuna
import psutil
import yaml

import studies
from perf.postgres_server import postgres_server
from studies.database.row_types import LedgerRow

LOCKED_SECONDS = 60.0
SECONDS_BETWEEN_BLOWS = (4.0, 14.0)

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
    kills: int = 0
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

    def __init__(self, folder: Path, url: str, report: ChaosReport) -> None:
        self.folder = folder
        self.url = url
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
        return psutil.Popen(
            [*command, "--workers", "2", *more], env=environment, stdout=self._log, stderr=self._log,
            start_new_session=True,
        )  # fmt: skip

    def workers(self) -> list[psutil.Process]:
        """Return the training processes of this driver."""
        found = []
        with contextlib.suppress(psutil.Error):
            for process in self.ensure().children(recursive=True):
                with contextlib.suppress(psutil.Error):
                    if "ResourceTrainable" in " ".join(process.cmdline()):
                        found.append(process)
        return found

    def quiet_run(self) -> int:
        """Run the sweep once more without faults, to finish running trials without new ones; return its exit code."""
        rows = self.ledger()
        counted = [row for row in rows if row["duplicate_of"] is None and row["state"] != "SKIPPED"]
        last = self.start("--set", f"budget.trials={max(len(counted), 1)}")
        return int(last.wait())

    def ledger(self) -> list[LedgerRow]:
        return studies.open(self.url).ledger("chaos")


def attack(sweep: Sweep, server: psutil.Process | None, minutes: float, draw: random.Random) -> None:
    """Inject faults until the time is over."""
    end = time.monotonic() + 60 * minutes
    last_outage = time.monotonic()
    while time.monotonic() < end:
        sweep.ensure()
        time.sleep(draw.uniform(*SECONDS_BETWEEN_BLOWS))
        choices = [
            "kill driver",
            "kill driver",
            "kill worker",
            "kill worker",
            "kill worker",
            "stop worker",
            "stop driver",
        ]
        if time.monotonic() - last_outage > 180:
            choices, last_outage = ["outage"], time.monotonic() + LOCKED_SECONDS
        blow = draw.choice(choices)
        if BLOWS[blow](sweep, server, draw):
            sweep.report.blows[blow] = sweep.report.blows.get(blow, 0) + 1
            sweep.report.kills += blow.startswith("kill")
    driver = sweep.ensure()
    driver.kill()
    driver.wait()
    sweep.report.kills += 1
    for victim in sweep.victims:  # a stopped worker outlives its driver, as no signal reaches it
        with contextlib.suppress(psutil.Error):
            victim.kill()


def _kill_driver(sweep: Sweep, server: psutil.Process | None, draw: random.Random) -> bool:
    driver = sweep.ensure()
    driver.kill()
    driver.wait()
    return True


def _signal_worker(number: int) -> Callable[[Sweep, psutil.Process | None, random.Random], bool]:
    def send(sweep: Sweep, server: psutil.Process | None, draw: random.Random) -> bool:
        workers = sweep.workers()
        if not workers:
            return False
        with contextlib.suppress(psutil.Error):
            victim = draw.choice(workers)
            victim.send_signal(number)
            sweep.victims.append(victim)
            return True
        return False

    return send


def _pause_driver(sweep: Sweep, server: psutil.Process | None, draw: random.Random) -> bool:
    driver = sweep.ensure()
    with contextlib.suppress(psutil.Error):
        driver.suspend()
        time.sleep(10)
        driver.resume()
    return True


def _outage(sweep: Sweep, server: psutil.Process | None, draw: random.Random) -> bool:
    """Make the database unreachable for a minute."""
    if server is not None:
        family = [server, *server.children(recursive=True)]
        for process in family:
            with contextlib.suppress(psutil.Error):
                process.suspend()
        time.sleep(LOCKED_SECONDS)
        for process in family:
            with contextlib.suppress(psutil.Error):
                process.resume()
        return True
    connection = sqlite3.connect(sweep.url, timeout=30)
    with contextlib.suppress(sqlite3.OperationalError), contextlib.closing(connection):
        connection.execute("BEGIN IMMEDIATE")
        time.sleep(LOCKED_SECONDS)
        connection.rollback()
        return True
    return False


BLOWS: dict[str, Callable[[Sweep, psutil.Process | None, random.Random], bool]] = {
    "kill driver": _kill_driver,
    "kill worker": _signal_worker(signal.SIGKILL),
    "stop worker": _signal_worker(signal.SIGSTOP),
    "stop driver": _pause_driver,
    "outage": _outage,
}


def count(sweep: Sweep) -> None:
    """Count lost, duplicated and stuck trials in our tables and in Optuna's."""
    rows, report = sweep.ledger(), sweep.report
    storage = optuna.storages.RDBStorage(sweep.url if "://" in sweep.url else f"sqlite:///{sweep.url}")
    (summary,) = optuna.get_all_study_summaries(storage)
    asked = optuna.load_study(study_name=summary.study_name, storage=storage).trials
    final = {row["number"] for row in rows if row["state"] != "RUNNING"}
    runs = studies.open(sweep.url).runs("chaos")
    pairs = Counter(zip(runs["number"], runs["seed"], strict=True))
    report.asked = len(asked)
    report.states = dict(Counter(row["state"] for row in rows))
    report.lost = len({trial.number for trial in asked} - final)
    report.duplicated = sum(n - 1 for n in Counter(row["number"] for row in rows).values())
    report.duplicated += sum(n - 1 for n in pairs.values())
    report.stuck = sum(row["state"] == "RUNNING" for row in rows)
    report.stuck += sum(not trial.state.is_finished() for trial in asked)


def chaos(minutes: float, database: str, seed: int) -> ChaosReport:
    """Run the experiment in a temporary folder."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    folder = Path(tempfile.mkdtemp(prefix="hnet-chaos-"))
    (folder / "spec.yaml").write_text(yaml.safe_dump(SPEC, sort_keys=False))
    report = ChaosReport(database, minutes)
    server_or_none = postgres_server() if database == "postgresql" else contextlib.nullcontext(None)
    with server_or_none as postgres:
        sweep = Sweep(folder, str(folder / "chaos.db") if postgres is None else postgres.sqlalchemy_url, report)
        server = None if postgres is None else psutil.Process(postgres.pid)
        try:
            attack(sweep, server, minutes, random.Random(seed))
            report.note_exit(sweep.quiet_run())
            count(sweep)
        finally:
            print(f"Drivers wrote to {folder}/drivers.log", file=sys.stderr)
    return report


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    report = chaos(arguments.minutes, arguments.database, arguments.seed)
    if arguments.json:
        print(json.dumps(asdict(report), indent=2))
    else:
        print(f"lost {report.lost}  duplicated {report.duplicated}  stuck {report.stuck}  kills {report.kills}")
    sys.exit(1 if report.lost or report.duplicated or report.stuck else 0)


if __name__ == "__main__":
    main()
