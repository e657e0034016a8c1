"""The condition that a column is one of some integers, however many, with one parameter in SQL that stays the same."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, Integer, Text, cast, literal, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement


def one_of(column: ColumnElement[Any], numbers: Collection[int]) -> ColumnElement[bool]:
    """Make the condition that a column is one of these integers."""
    array = literal(json.dumps([int(number) for number in numbers]), Text())
    element = _elements(array).table_valued("value").c.value
    return column.in_(select(cast(element, Integer)))


class _elements(FunctionElement[Any]):
    """The elements of a JSON array as a table whose column both databases name `value`."""

    inherit_cache = True


@compiles(_elements, "sqlite")
def _sqlite(element: _elements, compiler: Any, **options: Any) -> str:
    return f"json_each({compiler.process(element.clauses)})"


@compiles(_elements, "postgresql")
def _postgresql(element: _elements, compiler: Any, **options: Any) -> str:
    return f"json_array_elements_text(CAST({compiler.process(element.clauses)} AS json))"
