"""Tables whose display, sorting and CSV come from the same exact values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from typing import Any

from hnet_core.dotted_keys import short_names
from reports.exact_values import exact_text
from reports.formatting import (
    aligned,
    cost_number,
    count_text,
    mean_text,
    parameter,
    range_text,
    significant,
)
from studies.metrics.cost_axes import CostAxis
from studies.metrics.definitions import METRICS
from studies.statistics.interval import Interval
from studies.statistics.intervals import bounded

Row = Mapping[str, Any]
Columns = Mapping[str, Sequence[Any]]  # the same table by column, which suits one of a hundred thousand rows


@dataclass(frozen=True)
class Column:
    """One column: the exact value is `row[key]`, the text shown is `show(row)`.

    `is_mean`: the value is a mean whose interval the row has too, under `key.low` and `key.high`.
    """

    key: str
    label: str
    show: Callable[[Row], str]
    hint: str | None = None
    is_number: bool = True
    is_mean: bool = False


@dataclass(frozen=True)
class Cell:
    """One shown value; `exact` is what the CSV holds and the page sorts by, None where there is none."""

    text: str
    exact: str | None
    is_number: bool


@dataclass(frozen=True)
class Table:
    """A table of the page.

    Attributes:
        marked: keys of highlighted rows; `mark` is the reason for screen readers.
        left_out: number of rows that only the CSV beside it has.
        key: column that identifies a row within the page; None: its index does.
    """

    name: str
    caption: str
    columns: Sequence[Column]
    rows: Sequence[Row]
    marked: frozenset[int] = field(default=frozenset())
    left_out: int = 0
    key: str | None = None
    mark: str = "on the front"

    def row_id(self, index: int, row: Row) -> object:
        """Return the id of a row within the page: its key, else its index."""
        return index if self.key is None else row[self.key]

    def is_marked(self, row: Row) -> bool:
        return self.key is not None and row[self.key] in self.marked

    @cached_property
    def body(self) -> list[tuple[Row, list[Cell]]]:
        """Each row with its cells, decimal points aligned per column."""
        by_column = [self._cells(column) for column in self.columns]
        return list(zip(self.rows, [list(cells) for cells in zip(*by_column, strict=True)], strict=True))

    def _cells(self, column: Column) -> list[Cell]:
        texts = [column.show(row) for row in self.rows]
        shown = aligned(texts) if column.is_number else texts
        exact = [exact_text(row.get(column.key)) for row in self.rows]
        return [Cell(text, value, column.is_number) for text, value in zip(shown, exact, strict=True)]


def columns_of(rows: Sequence[Row]) -> Columns:
    """Turn rows into columns, in the order the names first appear; None where a row lacks one."""
    names = dict.fromkeys(chain.from_iterable(rows))
    return {name: [row.get(name) for row in rows] for name in names}


def mean_columns(metric: str, label: str, hint: str | None = None) -> list[Column]:
    """Make two columns: the mean and its interval."""
    low = f"{metric}.low"
    return [
        mean_column(metric, label, hint),
        Column(low, "95 % interval", lambda row: range_text(interval_of(row, metric))),
    ]


def mean_column(metric: str, label: str, hint: str | None = None) -> Column:
    """Make a column of the mean alone, where the table has no space for the interval; the CSV has it."""
    return Column(metric, label, lambda row: mean_text(interval_of(row, metric)), hint, is_mean=True)


def number_column(key: str, label: str, hint: str | None = None, *, digits: int = 3) -> Column:
    """Make a column of a number, to some significant digits."""
    return Column(key, label, lambda row: significant(row[key], digits), hint)


def cost_column(x: CostAxis, key: str | None = None, hint: str | None = None, label: str | None = None) -> Column:
    """Make a column of a cost in its unit.

    Args:
        key: the column, where it is not the metric.
        label: its heading, where it is not that of the cost.
    """
    name = key or x.metric
    return Column(name, label or x.heading, lambda row: cost_number(x, row[name]), hint)


def integer_column(key: str, label: str, hint: str | None = None) -> Column:
    """Make a column of an integer without separators, such as the number of a trial, of a task or of seeds."""
    return Column(key, label, lambda row: str(row[key]), hint)


def count_column(key: str, label: str, hint: str | None = None) -> Column:
    """Make a column of a count with thousands separators."""
    return Column(key, label, lambda row: count_text(row[key]), hint)


def memory_column(key: str, label: str) -> Column:
    """Make a column of bytes, shown in MiB."""
    return Column(
        key, label, lambda row: significant(None if row[key] is None else row[key] / 2**20), METRICS[key].description
    )


def text_column(key: str, label: str, hint: str | None = None) -> Column:
    """Make a column of text."""
    return Column(key, label, lambda row: str(row[key]), hint, is_number=False)


def parameter_columns(names: Sequence[str], table: Columns) -> list[Column]:
    """Make one column per searched value, under the last part of its name where that is unambiguous."""
    return [
        Column(
            name,
            label,
            lambda row, name=name: parameter(row[name]),  # type: ignore[misc]
            name if label != name else None,
            is_number={*map(type, table.get(name, ()))} <= {int, float, bool, type(None)},
        )
        for name, label in short_names(names).items()
    ]


def interval_cells(name: str, interval: Interval | None) -> dict[str, float | None]:
    """Return a mean and the ends of its interval as cells of a flat row: NAME, NAME.low and NAME.high."""
    found = Interval(None, None, None, 0) if interval is None else interval
    return {name: found.mean, f"{name}.low": found.low, f"{name}.high": found.high}


def interval_of(row: Row, name: str, seeds: str = "n") -> Interval:
    """Return the interval that `interval_cells` wrote into a row; that of a metric is cut at the bounds of the metric.

    Args:
        seeds: the column of the number of seeds, for a row without NAME.n.
    """
    n = row.get(f"{name}.n", row[seeds])
    found = Interval(row[name], row.get(f"{name}.low"), row.get(f"{name}.high"), n)
    return bounded(name, found) if name in METRICS else found
