"""The page of the database: size, schema, rows, and a check on demand."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from hnet_core.errors import HnetError
from studies.database.integrity import Checked, check_database
from studies.database.open_database import connect
from studies.database.size import DatabaseSize, size_of
from sweeps.server.query_parameters import check_names
from sweeps.server.rendering import Pages
from sweeps.server.service import Service


@dataclass
class Check:
    """A check of the database that runs, or has run, in a thread of its own."""

    started: float
    found: Checked | None = None
    problem: str | None = None
    seconds: float | None = None


def page(request: Request) -> Response:
    """Show the size of the database, and the last check."""
    check_names(request, [])
    service: Service = request.app.state.service
    pages: Pages = request.app.state.pages
    last: Check | None = getattr(request.app.state, "check", None)
    version = f"{service.changes.of_all()} {last and (last.started, last.seconds)}"
    return pages.respond(request, version, "database.html.j2", lambda: _content(service, last))


def check(request: Request) -> Response:
    """Start a check, unless one runs."""
    service: Service = request.app.state.service
    last: Check | None = getattr(request.app.state, "check", None)
    if last is None or last.seconds is not None:
        request.app.state.check = started = Check(time.time())
        threading.Thread(target=_run, args=(service.settings.db, started), daemon=True).start()
    return RedirectResponse(f"{service.settings.root_path}/database", 303)


def _run(db: str, check: Check) -> None:
    """Check with a connection of its own, which has no time limit."""
    start = time.perf_counter()
    try:
        engine = connect(db)
        try:
            check.found = check_database(engine)
        finally:
            engine.dispose()
    except HnetError as error:
        check.problem = str(error)
    finally:
        check.seconds = time.perf_counter() - start


def _content(service: Service, last: Check | None) -> dict[str, Any]:
    size: DatabaseSize = size_of(service.engine)
    return {"size": size, "check": last, "live": {"study": None, "seen": service.changes.of_all()}}
