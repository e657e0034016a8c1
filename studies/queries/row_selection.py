"""Rows of a query, and the selection among them by `--where`, `--sort` and `--limit`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Select

from hnet_core.errors import ConfigInvalid
from studies.metrics.definitions import METRICS, VARYING
from studies.queries.queryable_columns import QueryableColumn, order
from studies.queries.trial_columns import setting_column
from studies.queries.where_language import condition

if TYPE_CHECKING:
    import pandas as pd

_WORD = re.compile(r"""'[^']*'|"[^"]*"|(?<![\w.])[A-Za-z_]\w*(?:\.\w+)*""")
_KEYWORDS = frozenset({"and", "or", "not", "in", "is", "None", "True", "False"})
_FLOATS = frozenset(f"{name}{end}" for name in VARYING for end in ("", ".low", ".high"))


@dataclass(frozen=True)
class RowSelection:
    """A condition, an order and a limit on the rows of a table; `after` is a trial, whose followers are selected."""

    where: str | None = None
    sort: str | None = None
    limit: int | None = None
    after: int | None = None

    def of(
        self,
        query: Select[Any],
        fields: Mapping[str, QueryableColumn],
        dialect: str,
        by_default: Sequence[ColumnElement[Any]],
    ) -> Select[Any]:
        """Apply this selection to a query; rows that are equal in `sort` stay in the order of `by_default`.

        Raises:
            ConfigInvalid: if a column is unknown or cannot be compared, or `limit` is below 1.
        """
        if self.where is not None:
            query = query.where(condition(self.where, fields, dialect))
        if self.sort is not None:
            query = query.order_by(*order(self.sort, fields))
        if self.limit is not None and self.limit < 1:
            raise ConfigInvalid(f"--limit must be at least 1, got {self.limit}.")
        return query.order_by(*by_default).limit(self.limit)

    def sorted_by(self, sort: str) -> RowSelection:
        """Return this selection in the order `sort`, unless it has an order."""
        return self if self.sort else replace(self, sort=sort)

    def names(self) -> set[str]:
        """Return the names in condition and order: every word outside quotes."""
        words = {*_WORD.findall(self.where or ""), *_WORD.findall(self.sort or "")}
        return {word for word in words if word[0] not in "'\""} - _KEYWORDS


@dataclass(frozen=True)
class Rows:
    """A table as plain tuples.

    Attributes:
        columns: their names.
        values: one tuple per row.
        searched: dotted names of the values searched in a study, in the order of its spec; None where the rows have
            no column params.
        searched_after: the column behind which a DataFrame has the searched values, each in its own column.
        shown: the columns and searched values that a DataFrame has, in this order; None: all.
        seeds_of: for each row the seeds that have a value of a metric, where not all of its seeds have one.
    """

    columns: list[str]
    values: Sequence[Sequence[Any]]
    searched: Sequence[str] | None = None
    searched_after: str | None = None
    shown: Sequence[str] | None = None
    seeds_of: Sequence[Mapping[str, int]] | None = None

    def params(self) -> dict[str, list[Any]]:
        """Return each searched value as a column, None where a trial has none; see `setting_column` for its name."""
        if self.searched is None:
            return {}
        place = self.columns.index("params")
        each = [row[place] for row in self.values]
        names = dict.fromkeys([*self.searched, *(name for params in each for name in params)])
        return {setting_column(name): [params.get(name) for params in each] for name in names}

    def dicts(self) -> Iterator[dict[str, Any]]:
        """Yield one dict per row, searched values under their dotted names."""
        params = self.params()
        for i, row in enumerate(self.values):
            yield dict(zip(self.columns, row, strict=True)) | {name: column[i] for name, column in params.items()}

    def by_column(self) -> dict[str, Sequence[Any]]:
        """Return the values of each column, in the order of a DataFrame."""
        found: dict[str, Sequence[Any]] = {}
        listed = list(zip(*self.values, strict=True)) or [()] * len(self.columns)
        for name, values in zip(self.columns, listed, strict=True):
            found[name] = values
            if name == self.searched_after:
                found |= self.params()
        if self.shown is not None:
            found |= self.params()
            found = {name: found[name] for name in self.shown}
        return found


def to_frame(rows: Rows, nullable: bool = False) -> pd.DataFrame:
    """Return the rows as a DataFrame; a metric that was not measured is NaN.

    Args:
        nullable: keep integers beside a missing value as they are, in a column of type Int64; else they become floats.
    """
    import pandas as pd

    return pd.DataFrame({name: _column(name, values, nullable) for name, values in rows.by_column().items()})


def _column(name: str, values: Sequence[Any], nullable: bool) -> Any:
    import numpy as np
    import pandas as pd

    has_gaps = None in values
    if name == "duplicate_of" or (nullable and has_gaps and {type(value) for value in values} == {int, type(None)}):
        is_long = any(value is not None and not -(2**63) <= value < 2**63 for value in values)
        return pd.array(list(values), dtype=object if is_long else "Int64")
    if name in _FLOATS or (has_gaps and name in METRICS):  # a count stays an integer where every trial has one
        return np.array(values, dtype=float)
    return list(values)
