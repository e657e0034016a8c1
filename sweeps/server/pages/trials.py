"""The table of trials: filtered, sorted, paged by key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from hnet_core.dotted_keys import short_names
from reports.formatting import mean_text, parameter, range_text, significant
from studies.metrics.definitions import METRICS
from studies.output.trial_table import by_importance, printed, table_columns
from studies.queries.record import StudyRecord
from studies.queries.row_selection import Rows
from studies.statistics.interval import Interval
from sweeps.server.query_parameters import row_query, study_name
from sweeps.server.rendering import Pages
from sweeps.server.selection import code_of, command_of
from sweeps.server.service import Service

PER_PAGE = 50


@dataclass(frozen=True)
class TrialTable:
    """A page of trials as text.

    Attributes:
        columns: names, and their headings.
        rows: (number, the text of each column) pairs.
        numeric: the columns that are aligned to the right.
        last: the number the next page begins after; None on the last page.
    """

    columns: dict[str, str]
    rows: list[tuple[int, dict[str, Any]]]
    numeric: frozenset[str]
    last: int | None


def page(request: Request) -> Response:
    """Show a page of the trials of a study."""
    service: Service = request.app.state.service
    pages: Pages = request.app.state.pages
    name, asked = study_name(request), row_query(request, PER_PAGE)
    version = service.version(name)

    def content() -> dict[str, Any]:
        total = (
            service.studies.trial_counts(name).total
            if asked.where is None
            else len(service.matching(name, asked.where))
        )
        return {
            "name": name,
            "table": trial_table_of(service, name, asked.where, asked.sort, asked.limit, asked.after),
            "where": asked.where or "",
            "sort": asked.sort or "",
            "limit": asked.limit,
            "limited": asked.limit != PER_PAGE,
            "after": asked.after,
            "total": total,
            "command": command_of(name, service.settings.db, asked.where, asked.sort),
            "code": code_of(name, service.settings.db, asked.where, asked.sort),
            "notes": service.studies.trial_notes(name),
            "live": {"study": name, "seen": version},
        }

    return pages.respond(request, version, "trials.html.j2", content)


def trial_table_of(
    service: Service, name: str, where: str | None, sort: str | None, limit: int, after: int | None = None
) -> TrialTable:
    """Read one page of trials, with the columns that `hnet study trials` prints."""
    found = service.studies.trial_rows(name, where, sort, limit, after=after)
    return _table(service.studies.study(name), found, printed(found), limit)


def table_of(service: Service, name: str, numbers: Sequence[int]) -> TrialTable:
    """Return some trials in this order as a table."""
    found = service.studies.rows_of(name, numbers)
    by_number = {row["number"]: row for row in printed(found)}
    return _table(service.studies.study(name), found, [by_number[number] for number in numbers], len(numbers) + 1)


def _table(record: StudyRecord, found: Rows, rows: list[dict[str, Any]], limit: int) -> TrialTable:
    shown = [column for column in table_columns(rows, found, record) if column != "number"]
    order = [column for column in by_importance(["number", *shown], rows, record) if column != "number"]
    searched = [column for column in order if column in found.params()]
    labels = {**dict(zip(searched, short_names(searched).values(), strict=True)), "duplicate_of": "duplicate of"}
    texts = [(row["number"], {column: _cell(column, row[column]) for column in order}) for row in rows]
    numeric = frozenset(column for column in order if any(isinstance(row[column], int | float | dict) for row in rows))
    columns = {column: labels.get(column, column.replace("_", " ")) for column in order}
    return TrialTable(columns, texts, numeric, rows[-1]["number"] if len(rows) == limit else None)


def _cell(column: str, value: Any) -> dict[str, Any]:
    """Return the text of a cell, with its interval and number of seeds where it is a metric."""
    if isinstance(value, dict) and {"mean", "n"} <= set(value):
        interval = Interval(**value)
        is_count = METRICS[column].kind == "count"
        text = significant(interval.mean) if is_count else mean_text(interval)
        has_range = not is_count and interval.low is not None
        return {"text": text, "more": range_text(interval) if has_range else "", "n": None if is_count else interval.n}
    return {"text": parameter(value) if value is not None else "–", "more": "", "n": None}
