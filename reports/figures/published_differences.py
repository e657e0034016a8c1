"""Measured minus published numbers as a forest plot."""

from __future__ import annotations

from collections.abc import Sequence

from reports.analysis.reproduction import CellComparison, headline
from reports.drawing.forest_plot import ForestLine, forest_plot
from reports.figures.figure import Figure
from reports.table import Table
from reports.tables.published_cells import cell_row, shown_difference

NAME = "paper"


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
