"""The API: the rows of the command line as JSON or CSV, in pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from studies.output.formats import csv_text, json_text
from studies.output.trial_table import csv_columns, json_columns, printed
from studies.queries.row_selection import Rows
from sweeps.server.addresses import Addresses
from sweeps.server.query_parameters import (
    RowQuery,
    check_names,
    decimal,
    flag,
    row_query,
    study_name,
    text,
    trial_number,
)
from sweeps.server.service import Service

ROWS = 500
HEADERS = {"cache-control": "private, no-cache"}


def list_studies(request: Request) -> Response:
    """The studies of the database, oldest first; archived ones only with archived=1."""
    check_names(request, ["where", "sort", "limit", "tag", "archived"])
    asked = row_query(request, ROWS, ["tag", "archived"])
    found = _service(request).studies.study_rows(
        asked.where, asked.sort, asked.limit, tag=text(request, "tag"), archived=flag(request, "archived")
    )
    return rows_response(request, list(found.dicts()), found.columns)


def show_study(request: Request) -> Response:
    """One study: counts by state, search settings, best trials, size of the front, launches."""
    from studies.output.summaries import study_summary

    check_names(request, [])
    name, service = study_name(request), _service(request)
    return _object(request, service.keep("summary", name, lambda: study_summary(service.studies, name)))


def list_trials(request: Request) -> Response:
    """Trials of a study, each metric as mean, 95 % t interval and number of seeds; after=NUMBER is the next page."""
    asked, name = row_query(request, ROWS), study_name(request)
    found = _service(request).studies.trial_rows(name, asked.where, asked.sort, asked.limit, after=asked.after)
    return _trials(request, found, asked, name)


def list_front(request: Request) -> Response:
    """The Pareto front of a study: the trials that no other trial dominates, under its objectives or a cost `x`."""
    check_names(request, ["where", "sort", "limit", "x"])
    asked, name = row_query(request, ROWS, ["x"]), study_name(request)
    found = _service(request).studies.front_rows(name, asked.where, asked.sort, asked.limit, x=text(request, "x"))
    return _trials(request, found, None, name)


def show_trial(request: Request) -> Response:
    """One trial: configuration, metrics, runs, launch, and the traceback of a failure."""
    from studies.output.summaries import trial_summary

    check_names(request, [])
    return _object(request, trial_summary(_service(request).studies, study_name(request), trial_number(request)))


def list_runs(request: Request) -> Response:
    """The finished runs of one trial: every metric of each seed."""
    check_names(request, [])
    studies, name, number = _service(request).studies, study_name(request), trial_number(request)
    studies.trial(name, number)  # raises if there is none
    return _plain_rows(request, studies.run_rows(name, where=f"number == {number}"))


def list_evaluations(request: Request) -> Response:
    """The raw measurements of one trial: seed, split, task trained, task evaluated, value."""
    check_names(request, [])
    studies, name, number = _service(request).studies, study_name(request), trial_number(request)
    studies.trial(name, number)
    return _plain_rows(request, studies.evaluation_rows(name, where=f"number == {number}"))


def compare_sides(request: Request) -> Response:
    """Verdicts on pairs of sides, STUDY or STUDY:NUMBER: paired by seed, Holm-adjusted over all pairs."""
    from studies.comparing.configurations import compare, find_configuration

    check_names(request, ["side", "metric", "margin"])
    service = _service(request)
    sides = request.query_params.getlist("side")[:20]
    found = [find_configuration(service.studies, side) for side in sides]
    rows = compare(service.studies, found, text(request, "metric") or "final_accuracy", decimal(request, "margin"))
    return rows_response(request, rows, list(rows[0]) if rows else [])


def list_tables(request: Request) -> Response:
    """The published tables that measurements can be set beside."""
    from reports.data.published_tables import published_tables

    check_names(request, [])
    tables = published_tables(_service(request).studies)
    rows = [{"name": one.name, "summary": one.caption, "cite": one.cite, "url": one.url} for one in tables]
    return rows_response(request, rows, ["name", "summary", "cite", "url"])


def _trials(request: Request, found: Rows, asked: RowQuery | None, name: str) -> Response:
    rows = printed(found)
    more = None
    if asked is not None and len(rows) == asked.limit:
        more = Addresses(_service(request).settings.root_path).api(
            f"/studies/{request.path_params['name']}/trials",
            where=asked.where, sort=asked.sort, limit=asked.limit, after=rows[-1]["number"],
        )  # fmt: skip
    columns = csv_columns(found) if wants_csv(request) else json_columns()
    return rows_response(request, rows, columns, more)


def _plain_rows(request: Request, found: Rows) -> Response:
    by_column = found.by_column()
    if found.searched is not None:
        del by_column["params"]  # each searched value has its own column
    rows = [dict(zip(by_column, row, strict=True)) for row in zip(*by_column.values(), strict=True)]
    return rows_response(request, rows, list(by_column))


def rows_response(
    request: Request, rows: Sequence[Mapping[str, Any]], columns: Sequence[str], more: str | None = None
) -> Response:
    """Answer with rows as JSON or CSV; `more` is the address of the next page."""
    chosen = [{column: row.get(column) for column in columns} for row in rows]
    headers = HEADERS | ({} if more is None else {"link": f'<{more}>; rel="next"'})
    if wants_csv(request):
        return Response(_encoded(csv_text(chosen, columns)), media_type="text/csv", headers=headers)
    content = json_text({"rows": chosen, "next": more})
    return Response(_encoded(content), media_type="application/json", headers=headers)


def _object(request: Request, content: Mapping[str, Any]) -> Response:
    return Response(_encoded(json_text(content)), media_type="application/json", headers=HEADERS)


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "backslashreplace")


def wants_csv(request: Request) -> bool:
    """Return whether a client prefers CSV to JSON."""
    kinds = [part.partition(";")[0].strip().lower() for part in request.headers.get("accept", "").split(",")]
    return "text/csv" in kinds and "application/json" not in kinds


def _service(request: Request) -> Service:
    found: Service = request.app.state.service
    return found
