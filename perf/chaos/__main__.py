"""A running sweep under random faults, and the trials it loses: `python -m perf.chaos --minutes 10 --json`.

A sweep on digits is started from the command line. Every few seconds one of these happens: kill -9 of the driver or a
worker, SIGSTOP of a worker (considered hung after a time limit) or of the driver (with SIGCONT later), or an outage of
the database for a minute (PostgreSQL: SIGSTOP of the server; SQLite: a lock on its file). A driver that ended is
restarted by the same command. After the given minutes a last run without faults finishes the running trials.

With --cluster the sweep joins a Ray cluster of several nodes on this machine, without --workers, so that its workers
follow the cluster: nodes are added, killed with -9 and terminated among the other faults, and there may be none for a
while.

Prints the number of kills, and of nodes killed and added, and: lost, suggested trial numbers without a final row;
duplicated, trial numbers or (number, seed) pairs that occur twice; stuck, trials still RUNNING in our tables or in
Optuna's. The exit code is 1 unless all three are 0.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path

import optuna
import psutil
import yaml

import studies
from perf.chaos.blows import BLOWS, LOCKED_SECONDS
from perf.chaos.cluster import changing_cluster
from perf.chaos.sweep import SPEC, ChaosReport, Sweep
from perf.postgres_server import postgres_server

SECONDS_BETWEEN_BLOWS = (4.0, 14.0)


def attack(sweep: Sweep, server: psutil.Process | None, minutes: float, draw: random.Random) -> None:
    """Inject faults until the time is over."""
    end = time.monotonic() + 60 * minutes
    last_outage = time.monotonic()
    while time.monotonic() < end:
        sweep.ensure()
        time.sleep(draw.uniform(*SECONDS_BETWEEN_BLOWS))
        choices = [*["kill driver"] * 2, *["kill worker"] * 3, "stop worker", "stop driver"]
        if sweep.cluster is not None:
            choices += [*["kill node"] * 2, "remove node", *["add node"] * 4]
        if time.monotonic() - last_outage > 180:
            choices, last_outage = ["outage"], time.monotonic() + LOCKED_SECONDS
        blow = draw.choice(choices)
        if BLOWS[blow](sweep, server, draw):
            sweep.report.blows[blow] = sweep.report.blows.get(blow, 0) + 1
            sweep.report.kills += blow in ("kill driver", "kill worker")
    driver = sweep.ensure()
    driver.kill()
    driver.wait()
    sweep.report.kills += 1
    for victim in sweep.victims:  # a stopped worker outlives its driver, as no signal reaches it
        with contextlib.suppress(psutil.Error):
            victim.kill()


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


def chaos(minutes: float, database: str, seed: int, with_cluster: bool = False) -> ChaosReport:
    """Run the experiment in a temporary folder."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    folder = Path(tempfile.mkdtemp(prefix="hnet-chaos-"))
    (folder / "spec.yaml").write_text(yaml.safe_dump(SPEC, sort_keys=False))
    report = ChaosReport(database, minutes, with_cluster)
    server_or_none = postgres_server() if database == "postgresql" else contextlib.nullcontext(None)
    cluster_or_none = changing_cluster() if with_cluster else contextlib.nullcontext(None)
    with server_or_none as postgres, cluster_or_none as cluster:
        url = str(folder / "chaos.db") if postgres is None else postgres.sqlalchemy_url
        sweep = Sweep(folder, url, report, cluster)
        server = None if postgres is None else psutil.Process(postgres.pid)
        try:
            attack(sweep, server, minutes, random.Random(seed))
            report.note_exit(sweep.quiet_run())
            if cluster is not None:
                report.nodes_killed, report.nodes_removed = cluster.n_killed, cluster.n_removed
                report.nodes_added = cluster.n_added
            count(sweep)
        finally:
            print(f"Drivers wrote to {folder}/drivers.log", file=sys.stderr)
    return report


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cluster", action="store_true", help="a Ray cluster whose nodes come and go")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    report = chaos(arguments.minutes, arguments.database, arguments.seed, arguments.cluster)
    if arguments.json:
        print(json.dumps(asdict(report), indent=2))
    else:
        print(f"lost {report.lost}  duplicated {report.duplicated}  stuck {report.stuck}  kills {report.kills}")
        if report.cluster:
            print(f"nodes killed {report.nodes_killed}  removed {report.nodes_removed}  added {report.nodes_added}")
    sys.exit(1 if report.lost or report.duplicated or report.stuck else 0)


if __name__ == "__main__":
    main()
