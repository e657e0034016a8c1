"""Columns that a condition or an order may name, each with its SQL as a number, a text, a date or JSON.

A searched value is stored in a JSON column and may be of another kind in each trial: read as a number it is NULL where
it is a text.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import (
    JSON,
    Column,
    ColumnElement,
    Double,
    String,
    Text,
    case,
    cast,
    func,
    literal,
    type_coerce,
)

from hnet_core.errors import ConfigInvalid
from hnet_core.registry import did_you_mean
from studies.database.schema import FreeJson, FreeText, UtcDateTime

Kind = Literal["number", "text", "moment", "json"]


@dataclass(frozen=True)
class QueryableColumn:
    """One column with its SQL in each kind it can be read as; the last one is NULL only where the value is missing."""

    readings: Mapping[Kind, ColumnElement[Any]]

    def missing(self) -> ColumnElement[bool]:
        return list(self.readings.values())[-1].is_(None)


def plain_fields(columns: Mapping[str, ColumnElement[Any]]) -> dict[str, QueryableColumn]:
    """Return a field for each column that is a number, a text or a date; JSON objects are not compared."""
    found = {name: _kind(column) for name, column in columns.items()}
    return {name: QueryableColumn({kind: columns[name]}) for name, kind in found.items() if kind is not None}


def in_json(column: Column[Any], key: str, dialect: str) -> QueryableColumn:
    """Return the value under `key` of a JSON object, readable as number, as text, or as normalised JSON text."""
    found = type_coerce(column, Text())
    kind: ColumnElement[Any]
    as_number: ColumnElement[Any]
    as_text: ColumnElement[Any]
    as_json: ColumnElement[Any]
    if dialect == "sqlite":
        path = f'$."{key}"'
        kind = func.json_type(found, path)
        as_number = func.json_extract(found, path, type_=Double())
        as_text = func.json_extract(found, path, type_=Text())
        as_json = found.op("->", return_type=Text())(path)
    else:
        name = cast(key, Text())
        kind = func.json_typeof(found.op("->", return_type=Text())(name))
        as_text = found.op("->>", return_type=Text())(name)
        as_number = cast(as_text, Double())
        as_json = _normal(found.op("->", return_type=Text())(name))
    return QueryableColumn(
        {
            "number": case((kind.in_(["integer", "real", "number"]), as_number)),
            "text": case((kind.in_(["text", "string"]), as_text)),
            "json": func.nullif(as_json, "null", type_=Text()),
        }
    )


def json_constant(value: Any, dialect: str) -> ColumnElement[Any]:
    """Return a constant in the form of the reading "json" of a field."""
    content = literal(json.dumps(value, allow_nan=False, ensure_ascii=False), Text())
    if dialect == "sqlite":
        return func.json(content, type_=Text())
    return _normal(content)


def _normal(content: ColumnElement[Any]) -> ColumnElement[Any]:
    from sqlalchemy.dialects.postgresql import JSONB  # a fifth of a second that SQLite does not need

    return cast(cast(content, JSONB()), Text())


def order(sort: str, fields: Mapping[str, QueryableColumn]) -> list[ColumnElement[Any]]:
    """Make ORDER BY of comma-separated column names, descending after a minus; missing values come last.

    Raises:
        ConfigInvalid: if a column is unknown or none is named.
    """
    return [
        (reading.desc() if is_descending else reading.asc()).nulls_last()
        for reading, is_descending in sort_keys(sort, fields)
    ]


def sort_keys(sort: str, fields: Mapping[str, QueryableColumn]) -> list[tuple[ColumnElement[Any], bool]]:
    """Return what `order` sorts by: (SQL, is descending) pairs; raises what `order` raises."""
    keys = [key.strip() for key in sort.split(",") if key.strip()]
    if not keys:
        raise ConfigInvalid(f"--sort must name columns, such as -final_accuracy,compression_ratio; got {sort!r}.")
    return [
        (reading, key.startswith("-"))
        for key in keys
        for kind, reading in known(key.removeprefix("-"), fields, "--sort").readings.items()
        if kind != "json"
    ]


def known(name: str, fields: Mapping[str, QueryableColumn], option: str) -> QueryableColumn:
    """Return the field of that name.

    Raises:
        ConfigInvalid: if there is none; the message names the nearest one.
    """
    if name not in fields:
        guess = did_you_mean(name, _shown(fields), all_in="docs/schema.md")
        raise ConfigInvalid(f"{option} names an unknown column {name!r}{guess}.")
    return fields[name]


def _shown(names: Iterable[str]) -> list[str]:
    return [name for name in names if not name.endswith((".low", ".high"))]


def _kind(column: ColumnElement[Any]) -> Kind | None:
    stored = column.type.impl_instance if isinstance(column.type, (FreeText, FreeJson)) else column.type
    if isinstance(stored, JSON):
        return None
    if isinstance(stored, String):
        return "text"
    return "moment" if isinstance(column.type, UtcDateTime) else "number"
