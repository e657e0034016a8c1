"""Tables of published cells with their measurements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from reports.analysis.reproduction import CellComparison
from reports.data.published_cells import PublishedTable
from reports.formatting import MISSING, count_text, mean_text, range_text, significant
from reports.table import Column, Row, Table, interval_cells, interval_of, number_column, text_column
from studies.statistics.interval import Interval


def cell_row(found: CellComparison) -> dict[str, Any]:
    """Return a cell with its measurement as plain values; numbers are in the unit of the paper."""
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
        **interval_cells("measured", interval),
        "n": interval.n if interval else 0,
        "difference": difference.value if difference else None,
        "standard_error": error,
        "in_standard_errors": difference.in_standard_errors if difference else None,
        "half_width": difference.half_width if difference else None,
        "p": difference.p if difference else None,
        "p_holm": difference.p_holm if difference else None,
        "verdict": found.verdict,
        "scale": found.scale or None,
        "reason": found.reason or None,
        "study": measurement.study if measurement else None,
        "trial": measurement.number if measurement else None,
    }


def cell_table(table: PublishedTable, rows: Sequence[Row]) -> Table:
    """Build the table of the cells that were measured."""
    return Table("paper", table.caption + ".", _columns(), [row for row in rows if row["trial"] is not None])


def missing_table(rows: Sequence[Row]) -> Table:
    """Build the table of the cells that nothing measures."""
    missing = [row for row in rows if row["trial"] is None]
    columns = [column for column in _columns() if column.key in ("row", "column", "published", "reason")]
    return Table("missing", "Nothing in this database measures these cells.", columns, missing)


def for_print(table: Table) -> Table:
    """Drop the columns that are too wide for print."""
    columns = [column for column in table.columns if column.key not in ("half_width", "reason")]
    return replace(table, columns=columns)


def shown_mean(row: Row) -> str:
    """Format the measured mean to the precision of its interval, a number of weights in full."""
    return count_text(row["measured"]) if row["unit"] == "weights" else mean_text(interval_of(row, "measured"))


def shown_range(row: Row) -> str:
    """Format the measured interval; a number of weights, which no seed changes, has none."""
    return MISSING if row["unit"] == "weights" else range_text(interval_of(row, "measured"))


def shown_detectable(row: Row) -> str:
    """Format the least difference that would have shown: half of the 95 % interval of the difference."""
    return MISSING if row["half_width"] is None else f"±{significant(row['half_width'], 2)}"


def shown_difference(row: Row) -> str:
    """Format measured minus published to the precision of its interval, with its sign."""
    value, half = row["difference"], row["half_width"]
    if value is None:
        return MISSING
    low, high = (None, None) if half is None else (value - half, value + half)
    text = mean_text(Interval(value, low, high, row["n"]))
    return f"+{text}" if value > 0 else text


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
            shown_detectable,
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
