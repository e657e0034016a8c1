"""Columns a condition or an order may name, and how each is read in SQL: as a number, a text, a moment or JSON.

A searched value lies in a JSON column and may be of another kind in each trial: read as a number it is NULL where it is
a text.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import (
    JSON,
    Column,
    ColumnElement,
    Double,
    String,
    Text,
    bindparam,
    case,
    cast,
    func,
    literal,
    type_coerce,
)

from hnet_core.errors import ConfigInvalid
from hnet_core.registry import did_you_mean
from studies.database.schema import UtcDateTime

Kind = Literal["number", "text", "moment", "json"]


@dataclass(frozen=True)
class Field:
    """One column: its SQL in each kind it can be read as; the last of them is NULL only where the value is missing."""

    readings: Mapping[Kind, ColumnElement[Any]]

    def missing(self) -> ColumnElement[bool]:
        return list(self.readings.values())[-1].is_(None)


def plain_fields(columns: Mapping[str, ColumnElement[Any]]) -> dict[str, Field]:
    """A field for each column that is a number, a text or a moment; a whole JSON object is not compared."""
    found = {name: _kind(column) for name, column in columns.items()}
    return {name: Field({kind: columns[name]}) for name, kind in found.items() if kind is not None}


def in_json(column: Column[Any], key: str, dialect: str) -> Field:
    """The value under `key` of a JSON object, as number, as text, or whole as JSON text without a choice of blanks."""
    found = type_coerce(column, Text())
    kind: ColumnElement[Any]
    as_number: ColumnElement[Any]
    as_text: ColumnElement[Any]
    whole: ColumnElement[Any]
    if dialect == "sqlite":
        path = f'$."{key}"'
        kind = func.json_type(found, path)
        as_number = func.json_extract(found, path, type_=Double())
        as_text = func.json_extract(found, path, type_=Text())
        whole = found.op("->", return_type=Text())(path)
    else:
        name = cast(key, Text())
        kind = func.json_typeof(found.op("->", return_type=Text())(name))
        as_text = found.op("->>", return_type=Text())(name)
        as_number = cast(as_text, Double())
        whole = _normal(found.op("->", return_type=Text())(name))
    return Field(
        {
            "number": case((kind.in_(["integer", "real", "number"]), as_number)),
            "text": case((kind.in_(["text", "string"]), as_text)),
            "json": func.nullif(whole, "null", type_=Text()),
        }
    )


def json_constant(value: Any, dialect: str) -> ColumnElement[Any]:
    """A value as the reading "json" of a field has it."""
    content = literal(json.dumps(value, allow_nan=False, ensure_ascii=False), Text())
    if dialect == "sqlite":
        return func.json(content, type_=Text())
    return _normal(content)


def _normal(content: ColumnElement[Any]) -> ColumnElement[Any]:
    from sqlalchemy.dialects.postgresql import JSONB  # a fifth of a second that SQLite does not need

    return cast(cast(content, JSONB()), Text())


def order(sort: str, fields: Mapping[str, Field]) -> list[ColumnElement[Any]]:
    """ORDER BY of column names joined by commas, a minus before those that go down; missing values come last.

    Raises:
        ConfigInvalid: if a column is unknown or none is named.
    """
    keys = [key.strip() for key in sort.split(",") if key.strip()]
    if not keys:
        raise ConfigInvalid(f"--sort must name columns, such as -final_accuracy,compression_ratio; got {sort!r}.")
    elements: list[ColumnElement[Any]] = []
    for key in keys:
        field = known(key.removeprefix("-"), fields, "--sort")
        for kind, reading in field.readings.items():
            if kind != "json":
                elements.append((reading.desc() if key.startswith("-") else reading.asc()).nulls_last())
    return elements


def one_of(column: ColumnElement[Any], numbers: Collection[int]) -> ColumnElement[bool]:
    """Whether a column holds one of these whole numbers, which become part of the SQL: its parameters are limited."""
    return column.in_(bindparam(None, list(numbers), expanding=True, literal_execute=True))


def known(name: str, fields: Mapping[str, Field], option: str) -> Field:
    """The field of that name.

    Raises:
        ConfigInvalid: if there is none; the message names the nearest one.
    """
    if name not in fields:
        raise ConfigInvalid(f"{option} knows no column {name!r}{did_you_mean(name, _shown(fields))}.")
    return fields[name]


def _shown(names: Iterable[str]) -> list[str]:
    return [name for name in names if not name.endswith((".low", ".high"))]


def _kind(column: ColumnElement[Any]) -> Kind | None:
    if isinstance(column.type, JSON):
        return None
    if isinstance(column.type, String):
        return "text"
    return "moment" if isinstance(column.type, UtcDateTime) else "number"
