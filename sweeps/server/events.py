"""Server-sent events: a page gets one when its study has changed, and then asks for the parts that show it.

The event "change" is for results, "progress" for tasks finished of running trials and for the log of a sweep. An event
carries no data, and its id is the version of the study. So any number of changes between two events are one, nothing is
queued for a slow or sleeping client, and a client that comes back with the id it had (Last-Event-ID) gets an event
exactly if something has changed since. https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator

from anyio.to_thread import run_sync
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from hnet_core.errors import HnetError, NotFound
from sweeps.server.query_parameters import check_names, text
from sweeps.server.service import Service

log = logging.getLogger("hnet")

POLL_SECONDS = 1.0
ALIVE_SECONDS = 15.0
MAX_CLIENTS = 500
RETRY_MS = 3000


class Watcher:
    """Looks for changes while somebody listens, once for all listeners."""

    def __init__(self, service: Service, poll_seconds: float = POLL_SECONDS) -> None:
        self._service = service
        self._poll_seconds = poll_seconds
        self._looked = asyncio.Condition()
        self._watched: Counter[str | None] = Counter()
        self._looks = 0
        self._stopped = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def clients(self) -> int:
        return self._watched.total()

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.create_task(self._look_on())

    def stop(self) -> None:
        """End every stream, so that the server can end; may be called from a signal handler or another thread."""
        self._stopped = True
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(lambda: asyncio.ensure_future(self._wake()))

    async def close(self) -> None:
        self._stopped = True
        if self._task is not None:
            self._task.cancel()

    async def stream(self, study: str | None, last: str) -> AsyncIterator[str]:
        """Yield an event whenever the version of a study, or of all, is another than the client has seen."""
        self._watched[study] += 1
        try:
            yield f"retry: {RETRY_MS}\n\n"
            while not self._stopped:
                looks = self._looks  # before reading: a change meanwhile ends the next wait at once
                version = await run_sync(self._version, study)
                if version is not None and version != last:
                    is_progress = version.partition(":")[0] == last.partition(":")[0]
                    yield f"id: {version}\nevent: {'progress' if is_progress else 'change'}\ndata: {version}\n\n"
                    last = version
                if not await self._wait(looks):
                    yield ": alive\n\n"
        finally:
            self._watched[study] -= 1
            self._watched += Counter()  # without those that nobody watches

    def _version(self, study: str | None) -> str | None:
        """Return the version, None while the database cannot be read, or the study is not there."""
        try:
            return self._service.changes.of_all() if study is None else self._service.live_version(study)
        except NotFound:  # it was removed
            return None
        except HnetError as error:
            log.warning("events: %s", error)
            return None
        except Exception:  # an error must not end the streams
            log.exception("events: unexpected error")
            return None

    async def _wait(self, looks: int) -> bool:
        """Wait until the database was seen changed after so many looks; False where it was not for a while."""
        try:
            async with asyncio.timeout(ALIVE_SECONDS), self._looked:
                await self._looked.wait_for(lambda: self._looks != looks or self._stopped)
        except TimeoutError:
            return False
        return True

    async def _look_on(self) -> None:
        seen = None
        while not self._stopped:
            await asyncio.sleep(self._poll_seconds)
            if self._watched and (now := await run_sync(self._versions, (None, *self._watched))) != seen:
                seen = now
                await self._wake()

    def _versions(self, studies: tuple[str | None, ...]) -> dict[str | None, str | None]:
        return {study: self._version(study) for study in studies}

    async def _wake(self) -> None:
        async with self._looked:
            self._looks += 1
            self._looked.notify_all()


async def events(request: Request) -> Response:
    """Stream the changes of a study, or of all studies."""
    check_names(request, ["study", "seen"])
    watcher: Watcher = request.app.state.watcher
    if watcher.clients >= MAX_CLIENTS:
        return Response(status_code=503, headers={"retry-after": "60"})
    study = text(request, "study")
    if study is not None:
        await run_sync(request.app.state.service.live_version, study)  # raises if there is none
    last = request.headers.get("last-event-id") or text(request, "seen") or ""
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return StreamingResponse(watcher.stream(study, last), media_type="text/event-stream", headers=headers)
