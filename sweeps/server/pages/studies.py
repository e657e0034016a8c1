"""The page of all studies: state, progress, best trial, front, tags; searched by name and tag."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from sweeps.server.overview import overview
from sweeps.server.query_parameters import check_names, flag, number, text
from sweeps.server.rendering import Pages
from sweeps.server.service import Service

PER_PAGE = 50


def page(request: Request) -> Response:
    """Show the studies of the database."""
    check_names(request, ["q", "tag", "archived", "page"])
    service: Service = request.app.state.service
    pages: Pages = request.app.state.pages
    version = service.changes.of_all()
    search, tag, archived = text(request, "q"), text(request, "tag"), flag(request, "archived")
    place = number(request, "page", 1) or 1
    return pages.respond(
        request, version, "studies.html.j2", lambda: _content(service, version, search, tag, archived, place)
    )


def prepare(service: Service) -> None:
    """Read what the page shows first, the newest study last, so that its map is kept for who opens it."""
    rows = list(service.studies.study_rows().dicts())[-PER_PAGE:]
    for row in rows:
        overview(service, row["name"])


def _content(
    service: Service, version: str, search: str | None, tag: str | None, archived: bool, place: int
) -> dict[str, Any]:
    rows = list(service.studies.study_rows(tag=tag, archived=True).dicts())
    rows.reverse()  # the newest first
    n_archived = sum(row["archived_at"] is not None for row in rows)
    chosen = [row for row in rows if archived or row["archived_at"] is None]
    if search is not None:
        chosen = [row for row in chosen if search.lower() in row["name"].lower()]
    shown = chosen[(place - 1) * PER_PAGE : place * PER_PAGE]
    return {
        "rows": [{**row, "tags": _words(row["tags"]), "overview": overview(service, row["name"])} for row in shown],
        "n_found": len(chosen),
        "n_all": len(rows),
        "n_archived": n_archived,
        "search": search or "",
        "tag": tag or "",
        "archived": archived,
        "tags": sorted({word for row in rows for word in _words(row["tags"])}),
        "place": place,
        "n_pages": max(1, -(-len(chosen) // PER_PAGE)),
        "live": {"study": None, "seen": version},
    }


def _words(tags: str | None) -> list[str]:
    return sorted(tags.split(", ")) if tags else []
