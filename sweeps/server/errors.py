"""Errors as responses: the wording of the command line, as JSON for programs and as a page for people."""

from __future__ import annotations

import json
import logging

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from hnet_core.errors import ConfigInvalid, HnetError, NotFound
from studies.database.connections import DatabaseUnreachable
from studies.database.open_database import DatabaseForeign, SchemaOutdated
from studies.errors import QueryTimeout, StudyBusy
from sweeps.server.launcher import CheckRunning
from sweeps.server.rendering import Pages

log = logging.getLogger("hnet")

_STATUSES: tuple[tuple[type[HnetError], int], ...] = (
    (NotFound, 404),
    (ConfigInvalid, 400),
    (StudyBusy, 409),
    (CheckRunning, 409),
    (QueryTimeout, 503),
    (DatabaseUnreachable, 503),
    (DatabaseForeign, 503),
    (SchemaOutdated, 503),
)
TITLES = {400: "This cannot be asked", 403: "Refused", 404: "Not found", 405: "Not possible", 409: "In use",
          500: "An error of hnet", 503: "Not now"}  # fmt: skip


def expected(request: Request, error: Exception) -> Response:
    """Answer an HnetError."""
    assert isinstance(error, HnetError)
    status = next((status for kind, status in _STATUSES if isinstance(error, kind)), 500)
    if status >= 500:
        log.warning("%s %s: %s", request.method, request.url.path, error)
    return _respond(request, status, str(error), error.exit_code)


def not_found(request: Request, error: Exception) -> Response:
    """Answer an address that is none, or a method it does not have."""
    assert isinstance(error, HTTPException)
    text = {404: "there is no such address here; the studies are at /", 405: "this address does not take that method"}
    found = _respond(request, error.status_code, text.get(error.status_code, str(error.detail)), 3)
    found.headers.update(error.headers or {})
    return found


def _respond(request: Request, status: int, message: str, exit_code: int) -> Response:
    pages: Pages = request.app.state.pages
    path = request.url.path.removeprefix(request.app.state.service.settings.root_path)
    if path.startswith("/api/"):
        content = json.dumps({"error": message, "exit_code": exit_code}, ensure_ascii=False)
        return Response(content, status, media_type="application/json", headers={"cache-control": "no-store"})
    body = pages.render(
        request, "error.html.j2", {"title": TITLES.get(status, "Error"), "message": message, "live": ""}
    )
    return Response(body, status, media_type="text/html", headers={"cache-control": "no-store"})
