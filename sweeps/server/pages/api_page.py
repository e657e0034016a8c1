"""The page about the API: its addresses, with an example of each."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from sweeps.server.endpoints import ENDPOINTS
from sweeps.server.query_parameters import check_names
from sweeps.server.rendering import Pages


def page(request: Request) -> Response:
    """List the endpoints of the API."""
    check_names(request, [])
    pages: Pages = request.app.state.pages
    return pages.respond(request, "", "api.html.j2", lambda: {"endpoints": ENDPOINTS})
