"""A drawing with its finding, caption, table and CSV, so that it can be read without being seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from reports.table import Columns, Row, Table


@dataclass(frozen=True)
class Figure:
    """One or more drawings of the same rows.

    Attributes:
        name: id within the page, and the stem of the CSV beside it.
        finding: what the drawing shows, in a sentence.
        caption: how to read it.
        drawings: (label, drawing) pairs; more than one is offered as a choice.
        table: the same numbers as text.
        rows: the same numbers exactly, as the CSV holds them.
        held_by: the figure whose CSV holds these numbers and more, where there is one.
    """

    name: str
    finding: str
    caption: str
    drawings: tuple[tuple[str, Markup], ...]
    table: Table
    rows: Sequence[Row] | Columns
    held_by: str | None = None

    @property
    def csv_name(self) -> str:
        return f"{self.held_by or self.name}.csv"


@dataclass(frozen=True)
class FigureChoice:
    """One drawing among those a reader may switch between; `index` is its place."""

    index: int
    label: str
    drawing: Markup
    figure: Figure
    is_last_of_figure: bool


def choices_of(figures: Sequence[Figure]) -> list[FigureChoice]:
    """List every drawing of every figure, in order."""
    found: list[FigureChoice] = []
    for figure in figures:
        for i, (label, drawing) in enumerate(figure.drawings):
            found.append(FigureChoice(len(found), label, drawing, figure, i == len(figure.drawings) - 1))
    return found
