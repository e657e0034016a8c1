"""The condition language of `--where`: comparisons of columns, joined by and, or, not.

`compression_ratio < 0.2 and method == 'hnet'`, `0.1 <= method.beta_output < 1`, `state in ['FAILED', 'PRUNED']`,
`forgetting is None`. The text is parsed, never executed: only the nodes named below mean anything.
A missing value equals None and nothing else, and every order comparison with it is false.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from hnet_core.errors import ConfigInvalid
from hnet_core.registry import did_you_mean

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

_ORDER: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_EQUALITY: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Is: operator.eq,
    ast.IsNot: operator.ne,
    ast.In: lambda item, collection: item in collection,
    ast.NotIn: lambda item, collection: item not in collection,
}
_EXAMPLE = "such as: compression_ratio < 0.2 and method == 'hnet'"


def matching(condition: str, frame: pd.DataFrame) -> NDArray[np.bool_]:
    """Which rows of `frame` meet the condition, (n_rows,).

    Raises:
        ConfigInvalid: if the text is no condition, names an unknown column, or compares a text with a number.
    """
    try:
        tree = ast.parse(condition.strip(), mode="eval")
        return _Condition(condition, frame).truth(tree.body)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        if isinstance(error, ConfigInvalid):
            raise
        raise ConfigInvalid(f"--where must be a condition {_EXAMPLE}; got {condition!r}.") from None


class _Condition:
    """One parsed condition over one frame."""

    def __init__(self, text: str, frame: pd.DataFrame) -> None:
        self._text = text
        self._frame = frame

    def truth(self, node: ast.expr) -> NDArray[np.bool_]:
        import numpy as np

        if isinstance(node, ast.BoolOp):
            parts = [self.truth(part) for part in node.values]
            joined: NDArray[np.bool_] = (np.all if isinstance(node.op, ast.And) else np.any)(parts, axis=0)
            return joined
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return ~self.truth(node.operand)
        if isinstance(node, ast.Compare):
            operands = [self._values(operand) for operand in (node.left, *node.comparators)]
            links = zip(node.ops, operands, operands[1:], strict=False)
            chained: NDArray[np.bool_] = np.all([self._compare(*link) for link in links], axis=0)
            return chained
        raise self._error(node, "must be a comparison")

    def _compare(self, op: ast.cmpop, left: Iterable[Any], right: Iterable[Any]) -> NDArray[np.bool_]:
        import numpy as np

        pairs = zip(left, right, strict=True)
        try:
            if type(op) in _ORDER:
                before = _ORDER[type(op)]
                found = [a is not None and b is not None and before(a, b) for a, b in pairs]
            else:
                equal = _EQUALITY[type(op)]
                found = [equal(a, b) for a, b in pairs]
        except TypeError:
            raise ConfigInvalid(
                f"--where compares numbers with numbers and text with text; got {self._text!r}."
            ) from None
        return np.array(found, dtype=bool)

    def _values(self, node: ast.expr) -> list[Any]:
        """One value per row: a column, or a constant repeated."""
        if isinstance(node, ast.Name | ast.Attribute):
            return self._column(self._dotted(node))
        return [self._constant(node)] * len(self._frame)

    def _column(self, name: str) -> list[Any]:
        if name not in self._frame.columns:
            known = [str(column) for column in self._frame.columns if not str(column).endswith((".low", ".high"))]
            raise ConfigInvalid(f"--where knows no column {name!r}{did_you_mean(name, known)}.")
        column = self._frame[name]
        return column.astype(object).where(column.notna(), None).tolist()

    def _dotted(self, node: ast.expr) -> str:
        if isinstance(node, ast.Attribute):
            return f"{self._dotted(node.value)}.{node.attr}"
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
            return node.value
        raise self._error(node, "must be a column, a number, a text in quotes, None or a list of these")

    def _error(self, node: ast.expr, rule: str) -> ConfigInvalid:
        part = ast.get_source_segment(self._text.strip(), node) or self._text
        return ConfigInvalid(f"--where: {part!r} {rule}, {_EXAMPLE}.")
