"""The report `paper`: each number of a published table beside its measurement."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hnet_core.dotted_keys import flatten
from reports.analysis.reproduction import CellComparison, compare_table, counts, headline
from reports.data.published_cells import PublishedTable
from reports.data.published_tables import published_table
from reports.figures.published_differences import differences_figure
from reports.latex import latex_table
from reports.pages.output_files import csv_text, write_report
from reports.pages.render import render
from reports.registry import Argument, HtmlReport, Option
from reports.table import Row, Table
from reports.tables.published_cells import cell_row, cell_table, for_print, missing_table

if TYPE_CHECKING:
    from studies.queries.studies import Studies

PAGE = "paper.html"


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
        "paper.tex": latex_table(for_print(measured), f"Published by {table.cite}."),
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


REPORT = HtmlReport(
    name="paper",
    help="Which published numbers does this database reproduce? Writes paper.html, paper.csv, paper.tex and "
    "report.json.",
    argument=Argument("table", str, "published table, such as vonoswald2020:table1; see: hnet benchmark ls"),
    options=(Option("names", list[str], "look only in this study; may be given again", flag="--study"),),
    write=write,
    position=2,
)
