"""Cost of clients that watch a running study: `python -m perf.clients --json`.

A driver runs trials that train nothing (perf/noop.py), one every `PACE` seconds, in a process of its own, in turns of
one study without clients and one that as many clients watch through `hnet serve`. A client does what a page does: it
asks for the page of the study after every event, at most once a second, and connects again every `RECONNECT` seconds
with the id of the last event. At the end each must have seen the last version of the study. A page grows until its
figure has `MAX_POINTS` points, and with it what the server holds for each client: `--finished 2500` gives each study
so many trials before it is watched.

Each row: clients, trials, processor milliseconds of the driver per trial, events and pages received, clients that
missed the last version, and memory of the server in MiB, every `SAMPLE_EVERY` seconds. The last row has the ratio of
the driver's milliseconds with clients to those without, over all turns.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TypeVar

import httpx2 as httpx
import psutil

from perf.noop import no_work, noop_spec
from perf.serve import TOKEN, serving
from sweeps.driver.driver import Driver
from sweeps.jobs import Message
from sweeps.runner import run_sweep

PACE = 0.1
RECONNECT = 15.0
UPDATE_EVERY = 1.0  # as in sweeps/server/static/live.js
SAMPLE_EVERY = 10.0
Result = TypeVar("Result")
HEADERS = {"authorization": f"Bearer {TOKEN}"}


@dataclass(frozen=True)
class Turn:
    clients: int
    trials: int
    cpu_ms: float
    events: int = 0
    pages: int = 0
    missed: int = 0
    server_mib: tuple[int, ...] = ()


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


def drive(database: str, study: str, seconds: float, finished: int) -> None:
    """Continue a sweep of empty trials for so long; print the number of trials and the processor seconds they took."""
    spent = [0.0, 0.0]

    def backend(driver: Driver, workers: int, address: str | None, send: Callable[[int, Message], bool]) -> None:
        began, cpu = time.monotonic(), time.process_time()
        while time.monotonic() - began < seconds and (job := driver.next_job()) is not None:
            for message in no_work(job):
                send(job.number, message)
            spent[:] = spent[0] + 1, time.process_time() - cpu
            time.sleep(max(0.0, spent[0] * PACE - (time.monotonic() - began)))

    run_sweep(noop_spec("random", finished + round(seconds / PACE), study), database, backend=backend)
    print(json.dumps(spent))


def fill(database: str, study: str, trials: int) -> None:
    """Run so many empty trials of a study, one after the other."""

    def backend(driver: Driver, workers: int, address: str | None, send: Callable[[int, Message], bool]) -> None:
        while (job := driver.next_job()) is not None:
            for message in no_work(job):
                send(job.number, message)

    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
        run_sweep(noop_spec("random", trials, study), database, backend=backend)


def measure(clients: int, seconds: float, turns: int, finished: int) -> Iterator[Turn]:
    """Yield a turn without clients and one with them, as often as asked."""
    with tempfile.TemporaryDirectory() as folder:
        database = str(Path(folder) / "noop.db")
        fill(database, "first", 1)  # makes the tables
        with serving(database) as (address, server):
            for number in range(turns):
                for watching in (0, clients):
                    study = f"study-{number}-{watching}"
                    if finished:
                        fill(database, study, finished)
                    yield _turn(database, study, watching, seconds, finished, (address, server))


def _turn(
    database: str, study: str, clients: int, seconds: float, finished: int, server: tuple[str, psutil.Process]
) -> Turn:  # fmt: skip
    command = [sys.executable, "-m", "perf.clients", "--drive", database, study, str(seconds), str(finished)]
    driver = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    if not clients:
        trials, cpu = json.loads(driver.communicate()[0].splitlines()[-1])
        return Turn(0, int(trials), 1000 * cpu / trials)
    address, process = server
    mib: list[int] = []
    watching, output, last = asyncio.run(_sampled(mib, process, _watch(address, study, clients, driver)))
    trials, cpu = json.loads(output.splitlines()[-1])
    failed = [line for one in watching for line in one.failed]
    if failed:
        raise SystemExit(f"{len(failed)} pages failed, the first with {failed[0]}")
    return Turn(
        clients, int(trials), 1000 * cpu / trials, sum(one.events for one in watching),
        sum(one.pages for one in watching), sum(one.seen != last for one in watching), tuple(mib),
    )  # fmt: skip


async def _sampled(mib: list[int], process: psutil.Process, watching: Awaitable[Result]) -> Result:
    """Await a result; append the memory of a process, in MiB, every `SAMPLE_EVERY` seconds until it is there."""

    async def sample() -> None:
        while True:
            mib.append(round(process.memory_info().rss / 2**20))
            await asyncio.sleep(SAMPLE_EVERY)

    sampling = asyncio.create_task(sample())
    try:
        return await watching
    finally:
        sampling.cancel()


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=120.0, help="of a turn")
    parser.add_argument("--turns", type=int, default=2)
    parser.add_argument("--finished", type=int, default=0, help="trials of a study before its turn")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--drive", nargs=4, metavar=("DB", "STUDY", "SECONDS", "FINISHED"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.drive:
        database, study, seconds, finished = arguments.drive
        drive(database, study, float(seconds), int(finished))
        return
    turns = []
    for turn in measure(arguments.clients, arguments.seconds, arguments.turns, arguments.finished):
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
