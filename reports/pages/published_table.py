"""The report `paper`: each number of a published table beside its measurement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reports.analysis.reproduction import CellComparison, compare_table, counts, headline
from reports.data.published_tables import PublishedTable, published_table
from reports.drawing.forest_plot import ForestLine, forest_plot
from reports.figures.figure import Figure
from reports.formatting import MISSING, mean_text, range_text, significant
from reports.latex import latex_table
from reports.pages.output_files import csv_text, write_report
from reports.pages.render import render
from reports.registry import Argument, HtmlReport, Option
from reports.table import Column, Row, Table, text_column
from studies.statistics.interval import Interval

if TYPE_CHECKING:
    from studies.queries.studies import Studies

PAGE = "paper.html"
NAME = "paper"


def write(studies: Studies, table_name: str, out: Path, names: Sequence[str] | None = None) -> Path:
    """Write paper.html, paper.csv, paper.tex and report.json, and return the path of the page.

    Args:
        table_name: such as vonoswald2020:table1.
        names: studies to look in; None: all of the database.

    Raises:
        TableNotFound, StudyNotFound: if there is no table, or no study, of that name.
        ReportNotWritten: if the folder cannot be written.
    """
    table = published_table(table_name)
    comparisons = compare_table(table, studies, names)
    rows = [_row(found) for found in comparisons]
    measured = Table(NAME, table.caption + ".", _columns(), [row for row in rows if row["trial"] is not None])
    files = {
        "paper.csv": csv_text(rows),
        "paper.tex": latex_table(_for_print(measured), f"Published by {table.cite}."),
        PAGE: _page(table, comparisons, measured, rows),
    }
    return write_report(out, PAGE, files, _summary(table, comparisons, rows))


def _page(table: PublishedTable, comparisons: Sequence[CellComparison], measured: Table, rows: Sequence[Row]) -> str:
    missing = [row for row in rows if row["trial"] is None]
    columns = [column for column in _columns() if column.key in ("row", "column", "published", "reason")]
    configurations = {
        found.cell.configuration.note: found.cell.configuration.settings
        for found in comparisons
        if found.cell.configuration is not None
    }
    return render(
        "paper.html.j2",
        table=table,
        headline=headline(comparisons),
        counts=counts(comparisons),
        figure=_figure(comparisons, measured),
        measured=measured,
        missing=Table("missing", "Nothing in this database measures these cells.", columns, missing),
        errata=[found.cell for found in comparisons if found.cell.erratum],
        configurations=configurations,
        any_reduced=any(found.scale == "reduced" for found in comparisons),
    )


def _summary(
    table: PublishedTable, comparisons: Sequence[CellComparison], rows: list[dict[str, Any]]
) -> dict[str, Any]:
    return {
        "table": table.name,
        "cite": table.cite,
        "url": table.url,
        "headline": headline(comparisons),
        "verdicts": counts(comparisons),
        "cells": rows,
    }


def _row(found: CellComparison) -> dict[str, Any]:
    cell, measurement, difference = found.cell, found.measurement, found.difference
    interval = None if measurement is None else measurement.interval
    error = None if difference is None else difference.standard_error
    return {
        "row": cell.row,
        "column": cell.column,
        "unit": cell.unit,
        "published": cell.value,
        "published_text": cell.text,
        "published_spread": cell.spread,
        "published_spread_kind": cell.spread_kind,
        "published_n": cell.n,
        "erratum": cell.erratum or None,
        "measured": interval.mean if interval else None,
        "measured.low": interval.low if interval else None,
        "measured.high": interval.high if interval else None,
        "n": interval.n if interval else 0,
        "difference": difference.value if difference else None,
        "standard_error": error,
        "in_standard_errors": difference.in_standard_errors if difference else None,
        "half_width": difference.half_width if difference else None,
        "verdict": found.verdict,
        "scale": found.scale or None,
        "reason": found.reason or None,
        "study": measurement.study if measurement else None,
        "trial": measurement.number if measurement else None,
    }


def _columns() -> list[Column]:
    return [
        text_column("row", "row"),
        text_column("column", "column"),
        Column("published", "paper", lambda row: row["published_text"], "as printed; ± as the caption says"),
        Column("measured", "measured", _measured, "mean over seeds", is_mean=True),
        Column("measured.low", "95 % interval", _range),
        Column("n", "n", lambda row: str(row["n"]) if row["n"] else MISSING, "seeds"),
        Column(
            "difference",
            "difference",
            lambda row: _signed(row["difference"], row["half_width"]),
            "measured minus published",
        ),
        Column(
            "in_standard_errors",
            "|d| / SE",
            lambda row: significant(row["in_standard_errors"], 2),
            "difference over the combined standard error of both",
        ),
        Column(
            "half_width",
            "detectable",
            lambda row: MISSING if row["half_width"] is None else f"±{significant(row['half_width'], 2)}",
            "half-width of the 95 % interval of the difference: a smaller true difference would not have shown",
        ),
        Column("verdict", "verdict", lambda row: row["verdict"], is_number=False),
        Column("scale", "scale", lambda row: row["scale"] or MISSING, is_number=False),
        Column("reason", "why", lambda row: row["reason"] or MISSING, is_number=False),
    ]


def _for_print(table: Table) -> Table:
    """Drop the columns that are too wide for print."""
    columns = [column for column in table.columns if column.key not in ("half_width", "reason")]
    return replace(table, columns=columns)


def _measured(row: Row) -> str:
    return mean_text(_interval(row))


def _range(row: Row) -> str:
    return range_text(_interval(row))


def _interval(row: Row) -> Interval:
    return Interval(row["measured"], row["measured.low"], row["measured.high"], row["n"])


def _signed(value: float | None, half_width: float | None) -> str:
    """Format a difference as the tables format a mean, with its sign."""
    if value is None:
        return MISSING
    low, high = _ends(value, half_width)
    text = mean_text(Interval(value, low, high, 1))
    return f"+{text}" if value > 0 else text


def _ends(value: float, half_width: float | None) -> tuple[float, float] | tuple[None, None]:
    return (None, None) if half_width is None else (value - half_width, value + half_width)


def _figure(comparisons: Sequence[CellComparison], shown: Table) -> Figure | None:
    lines = [_line(found) for found in comparisons if found.difference is not None]
    if not lines:
        return None
    finding = headline(comparisons)
    caption = (
        "Measured minus published, with the 95 % interval of the difference where both sides have a known spread. "
        "An interval that crosses zero agrees; how wide it is says how large a difference could have gone unseen."
    )
    units = {found.cell.unit for found in comparisons if found.difference is not None}
    unit = "percentage points" if units == {"percent"} else ", ".join(sorted(units))
    drawing = forest_plot(NAME, lines, f"measured minus published ({unit})", finding, caption, ends=("lower", "higher"))
    return Figure(NAME, finding, caption, (("Differences", drawing),), shown, list(shown.rows))


def _line(found: CellComparison) -> ForestLine:
    assert found.difference is not None
    value, half = found.difference.value, found.difference.half_width
    mark = {"agrees": "same", "differs": "worse"}.get(found.verdict, "unknown")
    label = f"{found.cell.row} {found.cell.column}" + (" (reduced)" if found.scale == "reduced" else "")
    title = f"{label}: {_signed(value, half)}, {found.verdict}"
    low, high = _ends(value, half)
    return ForestLine(label, value, low, high, mark, title)


REPORT = HtmlReport(
    name="paper",
    help="Which published numbers does this database reproduce? Writes paper.html, paper.csv, paper.tex and "
    "report.json.",
    argument=Argument("table", str, "published table, such as vonoswald2020:table1; see: hnet list tables"),
    options=(Option("names", list[str], "look only in this study; may be given again", flag="--study"),),
    write=write,
    position=2,
)
