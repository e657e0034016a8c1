"""Events: every change reaches its pages, none is lost, none is queued, and the streams end with the server."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import socket
import sys
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import pytest

from studies.database.open_database import connect
from studies.store import admin
from studies.store.store import Store
from sweeps.server.events import Watcher
from sweeps.server.service import Service
from sweeps.server.settings import make_settings

NAME = "sample-tradeoff"


@pytest.fixture
def service(database: Path):  # type: ignore[no-untyped-def]
    made = Service(make_settings(str(database)))
    yield made
    made.close()


@contextlib.asynccontextmanager
async def watching(service: Service):  # type: ignore[no-untyped-def]
    watcher = Watcher(service, poll_seconds=0.01)
    watcher.start()
    try:
        yield watcher
    finally:
        await watcher.close()


async def next_id(stream) -> str:  # type: ignore[no-untyped-def]
    """The id of the next event of a stream."""
    async with asyncio.timeout(10):
        async for text in stream:
            if text.startswith("id: "):
                return str(text.split("\n")[0].removeprefix("id: "))
    raise AssertionError("the stream has ended")


async def next_kind(stream) -> str:  # type: ignore[no-untyped-def]
    """The kind of the next event of a stream."""
    async with asyncio.timeout(10):
        async for text in stream:
            if text.startswith("id: "):
                return str(text.split("\n")[1].removeprefix("event: "))
    raise AssertionError("the stream has ended")


def write(database: Path, text: str) -> None:
    engine = connect(str(database))
    admin.note_study(engine, NAME, text)
    engine.dispose()


def test_a_change_reaches_every_listener_of_its_study_and_no_other(service: Service, database: Path) -> None:
    async def run() -> None:
        async with watching(service) as watcher:
            seen, other = service.version(NAME), service.version("archived")
            streams = [watcher.stream(NAME, seen) for _ in range(20)]
            quiet = watcher.stream("archived", other)
            waiting = [asyncio.ensure_future(next_id(stream)) for stream in streams]
            unexpected = asyncio.ensure_future(next_id(quiet))
            await asyncio.sleep(0.05)
            write(database, "changed")
            assert set(await asyncio.gather(*waiting)) == {service.version(NAME)}
            assert not unexpected.done()
            unexpected.cancel()

    asyncio.run(run())


def test_a_reconnect_gets_an_event_exactly_if_something_changed(service: Service, database: Path) -> None:
    async def run() -> None:
        async with watching(service) as watcher:
            seen = service.version(NAME)
            for n in range(3):  # while nobody listens
                write(database, f"change {n}")
            stream = watcher.stream(NAME, seen)
            now = await next_id(stream)
            assert now == service.version(NAME) != seen
            again = watcher.stream(NAME, now)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.3):
                    await next_id(again)

    asyncio.run(run())


def test_tasks_finished_and_lines_of_a_log_are_progress_and_a_result_is_a_change(
    service: Service, database: Path
) -> None:
    async def run() -> None:
        async with watching(service) as watcher:
            stream = watcher.stream(NAME, service.live_version(NAME))
            engine = connect(str(database))
            store, study_id = Store(engine), service.studies.study(NAME).id
            store.acquire_lease(study_id, "driver", socket.gethostname(), os.getpid(), 60.0)
            assert await next_kind(stream) == "change"  # somebody drives it
            for done in (1, 2):
                store.renew_lease(study_id, "driver", 60.0, 1.0, {3: (done, 9)})
                assert await next_kind(stream) == "progress"
            waits = [sys.executable, "-c", "import time; time.sleep(600)"]
            started = service.started.start(waits, os.environ, [NAME], "preset", "quickstart", {})
            assert await next_kind(stream) == "progress"
            (service.started.folder / started.log).write_text("a line")
            assert await next_kind(stream) == "progress"
            os.kill(started.pid, signal.SIGKILL)
            assert await next_kind(stream) == "progress"
            write(database, "changed")
            assert await next_kind(stream) == "change"
            engine.dispose()

    asyncio.run(run())


def test_many_changes_between_two_reads_are_one_event(service: Service, database: Path) -> None:
    async def run() -> None:
        async with watching(service) as watcher:
            stream = watcher.stream(NAME, "")
            earlier = 0
            for n in range(30):
                write(database, f"change {n}")
            while (await next_id(stream)) != service.version(NAME):
                earlier += 1
            assert earlier <= 1

    asyncio.run(run())


def number(version: str) -> int:
    return int(version.partition(":")[0])


def n_objects() -> int:
    gc.collect()
    return len(gc.get_objects())


@pytest.mark.slow
def test_a_day_of_changes_every_second_takes_no_memory_and_is_one_event_for_a_page_that_slept() -> None:
    numbers, day = count(), 24 * 60 * 60

    def version(study: str | None = None) -> str:
        return f"{next(numbers)}:0"

    async def run() -> None:
        changing = SimpleNamespace(live_version=version, changes=SimpleNamespace(of_all=version))
        watcher = Watcher(changing, poll_seconds=0.0)  # type: ignore[arg-type]
        watcher.start()
        awake, asleep = watcher.stream(NAME, ""), watcher.stream(NAME, "")
        slept_at = number(await next_id(asleep))
        for n in range(day):
            await next_id(awake)
            if n == 1000:
                objects = n_objects()
        assert n_objects() < objects + day / 50  # of one object kept per event there would be fifty times as many
        assert number(await next_id(asleep)) > slept_at + day
        await watcher.close()

    asyncio.run(run())


def test_streams_end_when_the_server_does_and_count_no_client_then(service: Service) -> None:
    async def run() -> None:
        async with watching(service) as watcher:
            stream = watcher.stream(NAME, service.version(NAME))
            reading = asyncio.ensure_future(_read_to_the_end(stream))
            await asyncio.sleep(0.1)
            assert watcher.clients == 1
            watcher.stop()
            async with asyncio.timeout(5):
                await reading
            assert watcher.clients == 0

    asyncio.run(run())


async def _read_to_the_end(stream) -> None:  # type: ignore[no-untyped-def]
    async for _ in stream:
        pass


def test_nobody_listening_means_that_nobody_looks(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = 0

    def count(*_: object) -> str:
        nonlocal looks
        looks += 1
        return "same"

    monkeypatch.setattr(Watcher, "_version", count)

    async def run() -> None:
        async with watching(service):
            await asyncio.sleep(0.1)

    asyncio.run(run())
    assert looks == 0
