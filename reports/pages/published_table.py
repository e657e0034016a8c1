"""The report `paper`: each number of a published table beside its measurement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hnet_core.dotted_keys import flatten
from reports.analysis.reproduction import CellComparison, compare_table, counts, headline
from reports.data.published_cells import PublishedTable
from reports.data.published_tables import published_table
from reports.drawing.forest_plot import ForestLine, forest_plot
from reports.figures.figure import Figure
from reports.formatting import MISSING, significant
from reports.latex import latex_table
from reports.pages.output_files import csv_text, write_report
from reports.pages.render import render
from reports.registry import Argument, HtmlReport, Option
from reports.table import Column, Row, Table, number_column, text_column
from reports.tables.published_cells import cell_row, shown_difference, shown_mean, shown_range

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
    table = published_table(table_name, studies)
    comparisons = compare_table(table, studies, names)
    rows = [cell_row(found) for found in comparisons]
    measured = cell_table(table, rows)
    files = {
        "paper.csv": csv_text(rows),
        "paper.tex": latex_table(_for_print(measured), f"Published by {table.cite}."),
        PAGE: _page(table, comparisons, measured, rows),
    }
    return write_report(out, PAGE, files, _summary(table, comparisons, rows))


def _page(table: PublishedTable, comparisons: Sequence[CellComparison], measured: Table, rows: Sequence[Row]) -> str:
    measuring = {way.configuration: None for found in comparisons for way in found.cell.measured_by}
    return render(
        "paper.html.j2",
        table=table,
        headline=headline(comparisons),
        counts=counts(comparisons),
        figure=differences_figure(comparisons, measured),
        measured=measured,
        missing=missing_table(rows),
        errata=[found.cell for found in comparisons if found.cell.erratum],
        configurations=[(one.name, one.note, dict(flatten(one.blocks["full"]))) for one in measuring],
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


def cell_table(table: PublishedTable, rows: Sequence[Row]) -> Table:
    """Build the table of the cells that were measured."""
    return Table(NAME, table.caption + ".", _columns(), [row for row in rows if row["trial"] is not None])


def missing_table(rows: Sequence[Row]) -> Table:
    """Build the table of the cells that nothing measures."""
    missing = [row for row in rows if row["trial"] is None]
    columns = [column for column in _columns() if column.key in ("row", "column", "published", "reason")]
    return Table("missing", "Nothing in this database measures these cells.", columns, missing)


def _columns() -> list[Column]:
    return [
        text_column("row", "row"),
        text_column("column", "column"),
        Column("published", "paper", lambda row: row["published_text"], "as printed; ± as the caption says"),
        Column("measured", "measured", shown_mean, "mean over seeds", is_mean=True),
        Column("measured.low", "95 % interval", shown_range),
        Column("n", "n", lambda row: str(row["n"]) if row["n"] else MISSING, "seeds"),
        Column("difference", "difference", shown_difference, "measured minus published"),
        number_column(
            "in_standard_errors", "|d| / SE", "difference over the combined standard error of both", digits=2
        ),
        Column(
            "half_width",
            "detectable",
            lambda row: MISSING if row["half_width"] is None else f"±{significant(row['half_width'], 2)}",
            "half-width of the 95 % interval of the difference: a smaller true difference would not have shown",
        ),
        number_column(
            "p_holm",
            "p (Holm)",
            "of the Welch test, adjusted for all tested cells of the table; the verdict is that of each cell alone",
            digits=2,
        ),
        Column("verdict", "verdict", lambda row: row["verdict"], is_number=False),
        Column("scale", "scale", lambda row: row["scale"] or MISSING, is_number=False),
        Column("reason", "why", lambda row: row["reason"] or MISSING, is_number=False),
    ]


def _for_print(table: Table) -> Table:
    """Drop the columns that are too wide for print."""
    columns = [column for column in table.columns if column.key not in ("half_width", "reason")]
    return replace(table, columns=columns)


def differences_figure(comparisons: Sequence[CellComparison], shown: Table) -> Figure | None:
    """Draw measured minus published; None where nothing was measured."""
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
    title = f"{label}: {shown_difference(cell_row(found))}, {found.verdict}"
    low, high = (None, None) if half is None else (value - half, value + half)
    return ForestLine(label, value, low, high, mark, title)


REPORT = HtmlReport(
    name="paper",
    help="Which published numbers does this database reproduce? Writes paper.html, paper.csv, paper.tex and "
    "report.json.",
    argument=Argument("table", str, "published table, such as vonoswald2020:table1; see: hnet benchmark ls"),
    options=(Option("names", list[str], "look only in this study; may be given again", flag="--study"),),
    write=write,
    position=2,
)
