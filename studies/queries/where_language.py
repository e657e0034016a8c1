"""The condition language of `--where`: comparisons of columns, joined by and, or, not; compiled to bound SQL.

`compression_ratio < 0.2 and method == 'hnet'`, `0.1 <= method.beta_output < 1`, `state in ['FAILED', 'PRUNED']`,
`forgetting is None`, `created_at > '2026-11-21'`. The text is parsed, never executed: only the nodes named below mean
anything, only known columns can be named, and every value becomes a bound parameter.
A missing value equals None and nothing else, and every order comparison with it is false.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from sqlalchemy import ColumnElement, and_, false, func, literal, not_, or_, true

from hnet_core.errors import ConfigInvalid
from studies.database.schema import UtcDateTime
from studies.queries.queryable_columns import Kind, QueryableColumn, json_constant, known

# SQLite refuses expressions nested more deeply than a thousand.
MAX_PARTS = 500

_ORDER: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_EQUALITY = (ast.Eq, ast.NotEq, ast.Is, ast.IsNot)
_NEGATED = (ast.NotEq, ast.IsNot, ast.NotIn)
_EXAMPLE = "such as: compression_ratio < 0.2 and method == 'hnet'"


def condition(text: str, fields: Mapping[str, QueryableColumn], dialect: str) -> ColumnElement[bool]:
    """Return the condition as SQL; true or false for every row, never NULL.

    Args:
        fields: the columns it may name.
        dialect: sqlite or postgresql.

    Raises:
        ConfigInvalid: if the text is no condition, names an unknown column, or compares a text with a number.
    """
    try:
        tree = ast.parse(text.strip(), mode="eval")
        if sum(1 for _ in ast.walk(tree)) > MAX_PARTS:
            raise ConfigInvalid(f"--where must have at most {MAX_PARTS} parts; got {_cut(text)!r}.")
        return _Condition(text, fields, dialect).truth(tree.body)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        if isinstance(error, ConfigInvalid):
            raise
        raise ConfigInvalid(f"--where must be a condition {_EXAMPLE}; got {_cut(text)!r}.") from None


class _Condition:
    """One parsed condition over some columns; an operand is a QueryableColumn or a constant."""

    def __init__(self, text: str, fields: Mapping[str, QueryableColumn], dialect: str) -> None:
        self._text = text
        self._fields = fields
        self._dialect = dialect

    def truth(self, node: ast.expr) -> ColumnElement[bool]:
        if isinstance(node, ast.BoolOp):
            join = and_ if isinstance(node.op, ast.And) else or_
            return join(*(self.truth(part) for part in node.values))
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return not_(self.truth(node.operand))
        if isinstance(node, ast.Compare):
            operands = [self._operand(operand) for operand in (node.left, *node.comparators)]
            links = zip(node.ops, pairwise(operands), strict=True)
            return and_(*(self._compare(op, *pair) for op, pair in links))
        raise self._error(node, "must be a comparison")

    def _compare(self, op: ast.cmpop, left: Any, right: Any) -> ColumnElement[bool]:
        if isinstance(op, ast.In | ast.NotIn):
            if not isinstance(right, list):
                raise self._mixed()
            found = or_(false(), *(self._equal(left, item) for item in right))
        elif isinstance(op, _EQUALITY):
            found = self._equal(left, right)
        else:
            found = self._ordered(_ORDER[type(op)], left, right)
        return not_(found) if isinstance(op, _NEGATED) else found

    def _equal(self, left: Any, right: Any) -> ColumnElement[bool]:
        fields = [side for side in (left, right) if isinstance(side, QueryableColumn)]
        if not fields:
            return true() if left == right else false()
        if left is None or right is None:
            return fields[0].missing()
        kinds = _shared_kinds(left, right)
        equal: list[ColumnElement[bool]] = [
            func.coalesce(self._read(left, kind) == self._read(right, kind), false()) for kind in kinds[-1:]
        ]
        if len(fields) == 2:
            equal.append(and_(*(field.missing() for field in fields)))
        return or_(false(), *equal)

    def _ordered(self, before: Callable[[Any, Any], Any], left: Any, right: Any) -> ColumnElement[bool]:
        if left is None or right is None:
            return false()
        kinds = [kind for kind in _shared_kinds(left, right) if kind != "json"]
        if not kinds:
            raise self._mixed()
        if not isinstance(left, QueryableColumn) and not isinstance(right, QueryableColumn):
            return true() if before(left, right) else false()
        return func.coalesce(before(self._read(left, kinds[0]), self._read(right, kinds[0])), false())

    def _read(self, side: Any, kind: Kind) -> Any:
        if isinstance(side, QueryableColumn):
            return side.readings[kind]
        if kind == "json":
            return json_constant(side, self._dialect)
        return _moment(side) if kind == "moment" else literal(float(side) if kind == "number" else side)

    def _operand(self, node: ast.expr) -> Any:
        if isinstance(node, ast.Name | ast.Attribute | ast.Subscript):
            return known(self._dotted(node), self._fields, "--where")
        return self._constant(node)

    def _dotted(self, node: ast.expr) -> str:
        if isinstance(node, ast.Attribute):
            return f"{self._dotted(node.value)}.{node.attr}"
        if isinstance(node, ast.Subscript):  # method.beta_output[hypermask], a range by family
            return f"{self._dotted(node.value)}[{self._dotted(node.slice)}]"
        if isinstance(node, ast.Name):
            return node.id
        raise self._error(node, "must be a column name")

    def _constant(self, node: ast.expr) -> Any:
        if isinstance(node, ast.List | ast.Tuple):
            return [self._constant(item) for item in node.elts]
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            value = self._constant(node.operand)
            if isinstance(value, int | float):
                return -value
        elif isinstance(node, ast.Constant) and isinstance(node.value, int | float | str | None):
            if isinstance(node.value, str):
                node.value.encode()  # a lone surrogate is no text a database can hold
            if not isinstance(node.value, str) or "\0" not in node.value:
                return node.value
        raise self._error(node, "must be a column, a number, a text in quotes, None or a list of these")

    def _mixed(self) -> ConfigInvalid:
        return ConfigInvalid(
            f"--where compares columns: numbers with numbers and text with text; got {_cut(self._text)!r}."
        )

    def _error(self, node: ast.expr, rule: str) -> ConfigInvalid:
        part = ast.get_source_segment(self._text.strip(), node) or self._text
        return ConfigInvalid(f"--where: {_cut(part)!r} {rule}, {_EXAMPLE}.")


def _shared_kinds(left: Any, right: Any) -> list[Kind]:
    """Return the kinds both operands can be read as."""
    of_left, of_right = _kinds(left), _kinds(right)
    return [kind for kind in of_left if kind in of_right]


def _kinds(side: Any) -> list[Kind]:
    if isinstance(side, QueryableColumn):
        return list(side.readings)
    if isinstance(side, str):
        return ["text", "moment"]
    return ["json"] if isinstance(side, bool | list) else ["number"]


def _moment(value: str) -> ColumnElement[datetime]:
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError:
        raise ConfigInvalid(f"--where: a moment must be like '2026-11-21 14:30', got {_cut(value)!r}.") from None
    return literal(parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC), UtcDateTime())


def _cut(text: str) -> str:
    return text if len(text) <= 200 else f"{text[:200]}..."
