"""Published cells with their measurements, as rows of a table."""

from __future__ import annotations

from typing import Any

from reports.analysis.reproduction import CellComparison
from reports.formatting import MISSING, count_text, mean_text, range_text
from reports.table import Row, interval_cells, interval_of
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


def shown_mean(row: Row) -> str:
    """Format the measured mean to the precision of its interval, a number of weights in full."""
    return count_text(row["measured"]) if row["unit"] == "weights" else mean_text(interval_of(row, "measured"))


def shown_range(row: Row) -> str:
    """Format the measured interval; a number of weights, which no seed changes, has none."""
    return MISSING if row["unit"] == "weights" else range_text(interval_of(row, "measured"))


def shown_difference(row: Row) -> str:
    """Format measured minus published to the precision of its interval, with its sign."""
    value, half = row["difference"], row["half_width"]
    if value is None:
        return MISSING
    low, high = (None, None) if half is None else (value - half, value + half)
    text = mean_text(Interval(value, low, high, row["n"]))
    return f"+{text}" if value > 0 else text
