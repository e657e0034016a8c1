"""Cells of published tables, and the training and metric that measure each of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

SpreadKind = Literal["sem", "std", "unknown", "none"]
Scale = Literal["full", "reduced", "smoke"]
SCALES: tuple[Scale, ...] = ("full", "reduced", "smoke")
BY_TASK = ("during_accuracy", "during_mse")  # metrics that can be taken of one task


@dataclass(frozen=True, eq=False)
class Configuration:
    """A trial that measures published cells.

    Attributes:
        blocks: the trial block at each scale it has, "full" among them; unchecked, since it may name a component that
            is not installed.
        free: dotted fields of a trial that do not matter to the cells, or blocks such as "training".
    """

    name: str
    note: str
    blocks: Mapping[Scale, Mapping[str, Any]]
    free: tuple[str, ...] = ()


@dataclass(frozen=True)
class MeasuredBy:
    """A way to measure a cell: a metric of a trial.

    Attributes:
        metric: a name of METRICS, or during_accuracy[3] for the measure of task 3 (from 1) right after its training.
    """

    configuration: Configuration
    metric: str

    @property
    def metric_name(self) -> str:
        return self.metric.partition("[")[0]

    @property
    def task(self) -> int | None:
        """The task that the metric is taken of, from 1; None: all."""
        number = self.metric.partition("[")[2].removesuffix("]")
        return int(number) if number else None


@dataclass(frozen=True)
class PublishedCell:
    """One number of a paper.

    Attributes:
        unit: percent, minutes, weights, MiB; "values" for a shape.
        text: as printed.
        value, spread: as numbers in `unit`, None where the paper gives none.
        spread_kind: kind of the number after ±; "unknown" where the paper does not say.
        n: runs, None where the paper does not say.
        erratum: the contradiction or misprint in the paper, empty where there is none.
        measured_by: ways to measure it, the preferred one first.
        reason: why no trial measures it, empty where one does or nothing is said.
    """

    row: str
    column: str
    unit: str
    text: str
    value: float | None
    spread: float | None
    spread_kind: SpreadKind
    n: int | None
    erratum: str
    measured_by: tuple[MeasuredBy, ...] = ()
    reason: str = ""

    def __str__(self) -> str:
        return f"{self.row}, {self.column}"


@dataclass(frozen=True)
class PublishedTable:
    """A table of a paper; `name` is DOCUMENT:TABLE, such as vonoswald2020:table1."""

    name: str
    caption: str
    cite: str
    url: str
    cells: tuple[PublishedCell, ...] = field(repr=False)

    @property
    def rows(self) -> tuple[str, ...]:
        """Names of the rows, in the order of the print."""
        return tuple(dict.fromkeys(cell.row for cell in self.cells))

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns, in the order of the print."""
        return tuple(dict.fromkeys(cell.column for cell in self.cells))
