"""Faults injected into a running sweep."""

from __future__ import annotations

import contextlib
import random
import signal
import sqlite3
import time
from collections.abc import Callable

import psutil

from perf.chaos.cluster import ChangingCluster
from perf.chaos.sweep import Sweep

LOCKED_SECONDS = 60.0
Blow = Callable[[Sweep, psutil.Process | None, random.Random], bool]  # returns False if it could not be done


def _kill_driver(sweep: Sweep, server: psutil.Process | None, draw: random.Random) -> bool:
    driver = sweep.ensure()
    driver.kill()
    driver.wait()
    return True


def _signal_worker(number: int) -> Blow:
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


def _change_nodes(change: Callable[[ChangingCluster, random.Random], bool]) -> Blow:
    def blow(sweep: Sweep, server: psutil.Process | None, draw: random.Random) -> bool:
        return sweep.cluster is not None and change(sweep.cluster, draw)

    return blow


BLOWS: dict[str, Blow] = {
    "kill driver": _kill_driver,
    "kill worker": _signal_worker(signal.SIGKILL),
    "stop worker": _signal_worker(signal.SIGSTOP),
    "stop driver": _pause_driver,
    "outage": _outage,
    "kill node": _change_nodes(ChangingCluster.kill),
    "remove node": _change_nodes(ChangingCluster.remove),
    "add node": _change_nodes(lambda cluster, _: cluster.add()),
}
