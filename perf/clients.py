"""Cost of clients that watch a running study: `python -m perf.clients --json`.

A driver runs trials that train nothing (perf/noop.py), one every `PACE` seconds, in a process of its own, in turns of
one study without clients and one that as many clients watch through `hnet serve`. A client does what a page does: it
asks for the page of the study after every event, at most once a second, and connects again every `RECONNECT` seconds
with the id of the last event. At the end each must have seen the last version of the study.

Each row: clients, trials, processor milliseconds of the driver per trial, events and pages received, clients that
missed the last version, and memory of the server before and after in MiB. The last row has the ratio of the driver's
milliseconds with clients to those without, over all turns.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

import httpx
import psutil

from perf.noop import no_work, noop_spec
from perf.serve import TOKEN, serving
from sweeps.driver.driver import Driver
from sweeps.jobs import Message
from sweeps.runner import run_sweep

PACE = 0.1
RECONNECT = 15.0
UPDATE_EVERY = 1.0  # as in sweeps/server/static/live.js
HEADERS = {"authorization": f"Bearer {TOKEN}"}


@dataclass(frozen=True)
class Turn:
    clients: int
    trials: int
    cpu_ms: float
    events: int = 0
    pages: int = 0
    missed: int = 0
    server_mib_before: float = 0.0
    server_mib_after: float = 0.0


@dataclass
class Client:
    """A page that is left open: events received, pages asked for, and the version that it shows."""

    study: str
    events: int = 0
    pages: int = 0
    seen: str = ""
    failed: list[str] = field(default_factory=list)

    async def watch(self, http: httpx.AsyncClient) -> None:
        """Follow the events until cancelled, with a new connection now and then."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(RECONNECT):
                    await self._connection(http)

    async def _connection(self, http: httpx.AsyncClient) -> None:
        headers = {"last-event-id": self.seen} if self.seen else {}
        kind, updated_at = "", 0.0
        async with http.stream("GET", "/events", params={"study": self.study}, headers=headers) as response:
            async for line in response.aiter_lines():
                name, _, value = line.partition(": ")
                if name == "id":
                    self.seen, self.events = value, self.events + 1
                elif name == "event":
                    kind = value
                elif not line and kind == "change":
                    await asyncio.sleep(updated_at + UPDATE_EVERY - time.monotonic())
                    kind, updated_at = "", time.monotonic()
                    page = await http.get(f"/studies/{self.study}")
                    self.pages += 1
                    if page.status_code != 200:
                        self.failed.append(f"{page.status_code}: {page.text[:200]}")


def drive(database: str, study: str, seconds: float) -> None:
    """Run a sweep of empty trials for so long; print the number of trials and the processor seconds they took."""
    spent = [0.0, 0.0]

    def backend(driver: Driver, workers: int, address: str | None, send: Callable[[int, Message], bool]) -> None:
        began, cpu = time.monotonic(), time.process_time()
        while time.monotonic() - began < seconds and (job := driver.next_job()) is not None:
            for message in no_work(job):
                send(job.number, message)
            spent[:] = spent[0] + 1, time.process_time() - cpu
            time.sleep(max(0.0, spent[0] * PACE - (time.monotonic() - began)))

    run_sweep(noop_spec("random", round(seconds / PACE), study), database, backend=backend)
    print(json.dumps(spent))


def measure(clients: int, seconds: float, turns: int) -> Iterator[Turn]:
    """Yield a turn without clients and one with them, as often as asked."""
    with tempfile.TemporaryDirectory() as folder:
        database = str(Path(folder) / "noop.db")
        _turn(database, "first", 0, 1.0, None)  # makes the tables
        with serving(database) as (address, server):
            for number in range(turns):
                for watching in (0, clients):
                    yield _turn(database, f"study-{number}-{watching}", watching, seconds, (address, server))


def _turn(
    database: str, study: str, clients: int, seconds: float, server: tuple[str, psutil.Process] | None
) -> Turn:  # fmt: skip
    command = [sys.executable, "-m", "perf.clients", "--drive", database, study, str(seconds)]
    driver = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    if server is None or not clients:
        trials, cpu = json.loads(driver.communicate()[0].splitlines()[-1])
        return Turn(0, int(trials), 1000 * cpu / trials)
    address, process = server
    before = _mib(process)
    watching, output, last = asyncio.run(_watch(address, study, clients, driver))
    trials, cpu = json.loads(output.splitlines()[-1])
    failed = [line for one in watching for line in one.failed]
    if failed:
        raise SystemExit(f"{len(failed)} pages failed, the first with {failed[0]}")
    return Turn(
        clients, int(trials), 1000 * cpu / trials, sum(one.events for one in watching),
        sum(one.pages for one in watching), sum(one.seen != last for one in watching), before, _mib(process),
    )  # fmt: skip


async def _watch(
    address: str, study: str, clients: int, driver: subprocess.Popen[str]
) -> tuple[list[Client], str, str]:  # fmt: skip
    """Watch a study until its driver ends; return the clients, what it printed, and the last version."""
    limits = httpx.Limits(max_connections=None)
    watching = [Client(study) for _ in range(clients)]
    async with httpx.AsyncClient(base_url=address, headers=HEADERS, timeout=None, limits=limits) as http:
        while (await http.get(f"/studies/{study}")).status_code == 404:
            await asyncio.sleep(0.1)
        tasks = [asyncio.create_task(one.watch(http)) for one in watching]
        output = (await asyncio.to_thread(driver.communicate))[0]
        await asyncio.sleep(5.0)
        ended = Client(study)
        last = asyncio.create_task(ended.watch(http))
        await asyncio.sleep(2.0)
        for task in (*tasks, last):
            task.cancel()
        for result in await asyncio.gather(*tasks, last, return_exceptions=True):
            if isinstance(result, Exception):
                raise result
    return watching, output, ended.seen


def _mib(process: psutil.Process) -> float:
    return float(process.memory_info().rss) / 2**20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=120.0, help="of a turn")
    parser.add_argument("--turns", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--drive", nargs=3, metavar=("DB", "STUDY", "SECONDS"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.drive:
        database, study, seconds = arguments.drive
        drive(database, study, float(seconds))
        return
    turns = []
    for turn in measure(arguments.clients, arguments.seconds, arguments.turns):
        turns.append(turn)
        print(json.dumps(asdict(turn)) if arguments.json else turn, flush=True)
    spent = [
        sum(one.cpu_ms * one.trials for one in turns if bool(one.clients) == watched)
        / sum(one.trials for one in turns if bool(one.clients) == watched)
        for watched in (False, True)
    ]
    print(json.dumps({"ratio": spent[1] / spent[0]}) if arguments.json else f"ratio {spent[1] / spent[0]:.3f}")


if __name__ == "__main__":
    main()
