"""Figure for papers of the differences between compared methods."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from reports.drawing.forest_plot import ForestLine
from reports.drawing.publication import BLUE, GREEN, GREY, VERMILLION, publication_files
from reports.formatting import told_apart

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = {"better": GREEN, "worse": VERMILLION, "same": BLUE, "unknown": GREY}
MARKERS = {"better": "o", "worse": "s", "same": "o", "unknown": "."}


def comparison_figures(lines: Sequence[ForestLine], label: str, margin: float | None) -> dict[str, bytes]:
    """Draw differences with their intervals; return files by name.

    Args:
        label: what the x axis shows.
    """
    height = 0.16 + 0.06 * len(lines)
    return publication_files("comparison", lambda figure: _draw(figure.add_subplot(), lines, label, margin), height)


def _draw(axes: Axes, lines: Sequence[ForestLine], label: str, margin: float | None) -> None:
    if margin is not None:
        axes.axvspan(-margin, margin, color=GREEN, alpha=0.12, lw=0)
    axes.axvline(0.0, color="black", lw=0.6)
    for i, line in enumerate(lines):
        if line.low is not None and line.high is not None:
            axes.plot([line.low, line.high], [i, i], color=GREY, lw=0.9)
        axes.plot([line.value], [i], MARKERS[line.verdict], color=COLOURS[line.verdict], ms=4)
    labels = [line.label if isinstance(line.label, str) else " − ".join(line.label) for line in lines]
    names = told_apart(labels, 40)
    axes.set_yticks(range(len(lines)), [names[label] for label in labels])
    axes.set_ylim(len(lines) - 0.4, -0.6)
    axes.grid(axis="y", visible=False)
    axes.set_xlabel(label)
