"""The pages of published tables: each number beside its measurement in this database."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import Response

from reports.analysis.reproduction import compare_table, counts, headline
from reports.data.published_tables import published_table, published_tables
from reports.figures.published_differences import differences_figure
from reports.tables.published_cells import cell_row, cell_table, missing_table
from sweeps.server.query_parameters import check_names
from sweeps.server.rendering import Pages
from sweeps.server.service import Service


def list_page(request: Request) -> Response:
    """List the published tables."""
    check_names(request, [])
    service: Service = request.app.state.service
    pages: Pages = request.app.state.pages
    version = service.changes.of_all()
    return pages.respond(
        request, version, "tables.html.j2", lambda: {"tables": list(published_tables(service.studies))}
    )


def page(request: Request) -> Response:
    """Show one published table beside what was measured."""
    check_names(request, [])
    service: Service = request.app.state.service
    pages: Pages = request.app.state.pages
    name = unquote(request.path_params["name"], errors="replace")
    version = service.changes.of_all()
    return pages.respond(request, version, "table.html.j2", lambda: _content(service, name, version))


def _content(service: Service, name: str, version: str) -> dict[str, Any]:
    table = published_table(name, service.studies)
    comparisons = compare_table(table, service.patient)
    rows = [cell_row(found) for found in comparisons]
    measured = cell_table(table, rows)
    return {
        "table": table,
        "headline": headline(comparisons),
        "counts": counts(comparisons),
        "figure": differences_figure(comparisons, measured),
        "measured": measured,
        "missing": missing_table(rows),
        "errata": [found.cell for found in comparisons if found.cell.erratum],
        "any_reduced": any(found.scale == "reduced" for found in comparisons),
        "live": {"study": None, "seen": version},
    }
