"""Starts the server, prints its address, and ends it cleanly on SIGINT and SIGTERM."""

from __future__ import annotations

import contextlib
import gc
import signal
import socket
import sys
import threading
from dataclasses import replace
from types import FrameType
from typing import Any

import uvicorn
from starlette.datastructures import State

from hnet_core.errors import ConfigInvalid
from sweeps.server.application import make_application
from sweeps.server.events import Watcher
from sweeps.server.pages import studies
from sweeps.server.service import Service
from sweeps.server.settings import ServerSettings

SHUTDOWN_SECONDS = 5
BACKLOG = 128


def serve(settings: ServerSettings) -> None:
    """Serve until a signal ends it.

    Raises:
        ConfigInvalid: if the address cannot be bound.
        what `studies.database.open_database.connect` raises.
    """
    with _EndingSignals() as signals, _bind(settings.host, settings.port) as listening:
        settings = replace(settings, port=listening.getsockname()[1])
        server = _make_server(settings)
        gc.freeze()  # the imported modules, which each full collection would look through while a large study is read
        signals.attach(server)
        server.prepare()
        if not signals.arrived:
            print(f"Serving {_database(settings)}{' (read only)' if settings.read_only else ''} at:", flush=True)
            print(f"  {start_address(settings)}", flush=True)
        server.run(sockets=[listening])
    print("Stopped.", file=sys.stderr)


def _make_server(settings: ServerSettings) -> _Server:
    app = make_application(settings)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=True,
        root_path=settings.root_path,
        proxy_headers=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        limit_concurrency=1000,
        h11_max_incomplete_event_size=32 * 1024,
    )
    return _Server(config, app.state)


def start_address(settings: ServerSettings) -> str:
    """Return the address to open first; a token that was given is not repeated."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    if settings.host in ("0.0.0.0", "::"):
        host = socket.gethostname()
    name = "HNET_TOKEN" if settings.write_token else "HNET_READ_TOKEN"
    token = settings.start_token if settings.is_made_up else f"${name}"
    return f"http://{host}:{settings.port}{settings.root_path}/?token={token}"


class _Server(uvicorn.Server):
    """Ends the streams of events first: they would keep the server from ending."""

    def __init__(self, config: uvicorn.Config, state: State) -> None:
        super().__init__(config)
        self._watcher: Watcher = state.watcher
        self._service: Service = state.service

    def prepare(self) -> None:
        """Read what is opened first, beside everything else; what fails here fails again, and is shown, when opened."""

        def read() -> None:
            with contextlib.suppress(Exception):
                studies.prepare(self._service)

        threading.Thread(target=read, name="prepare", daemon=True).start()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._watcher.stop()
        super().handle_exit(sig, frame)


class _EndingSignals:
    """Handlers of SIGINT and SIGTERM from before the server is made until it has ended.

    uvicorn installs its own for as long as it runs, and sends itself the signal again when it has ended.

    Attributes:
        arrived: a signal has arrived; a server that is attached later ends as soon as it has started.
    """

    def __init__(self) -> None:
        self.arrived = False
        self._server: _Server | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> _EndingSignals:
        self._before = {number: signal.signal(number, self._on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def attach(self, server: _Server) -> None:
        self._server = server
        if self.arrived:
            server.should_exit = True

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.arrived = True
        if self._server is not None:
            self._server.handle_exit(number, frame)


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise ConfigInvalid(
            f"the server must be able to bind {host}:{port}, got: {error.strerror or error}; choose another --port."
        ) from None


def _database(settings: ServerSettings) -> Any:
    from studies.database.urls import mask_passwords

    return mask_passwords(settings.db)
