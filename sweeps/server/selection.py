"""The selection of a page: a `--where` condition, narrowed by brushing, and shown as command and as code."""

from __future__ import annotations

import ast
import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from hnet_core.errors import ConfigInvalid
from studies.database.urls import mask_passwords
from studies.metrics.cost_axes import CostAxis


@dataclass(frozen=True)
class Range:
    """Open bounds on a column; None where one side is open."""

    low: float | None
    high: float | None

    def condition(self, column: str) -> str | None:
        """Return the bounds as a condition, such as `0.1 < compression_ratio < 0.3`."""
        low, high = (None if bound is None else f"{bound:.10g}" for bound in (self.low, self.high))
        if low is not None and high is not None:
            return f"{low} < {column} < {high}"
        if low is not None:
            return f"{column} > {low}"
        return None if high is None else f"{column} < {high}"


def narrowed(where: str | None, x: CostAxis, costs: Range, quality: str, qualities: Range) -> str | None:
    """Return a condition with these bounds on both axes of the figure, in place of those it had."""
    kept = [part for part in _parts(where) if not _is_about(part, {x.metric, quality})]
    bounds = [costs.condition(x.metric), qualities.condition(quality)]
    return " and ".join([*kept, *(bound for bound in bounds if bound is not None)]) or None


def command_of(name: str, db: str, where: str | None, sort: str | None = None) -> str:
    """Return the command of the same question."""
    return _command("hnet study trials", name, [("--where", where), ("--sort", sort), ("--db", mask_passwords(db))])


def front_command_of(name: str, db: str, where: str | None, x: str | None) -> str:
    """Return the command that lists the front of the figure."""
    return _command("hnet study front", name, [("--x", x), ("--where", where), ("--db", mask_passwords(db))])


def report_command_of(name: str, db: str, x: str | None) -> str:
    """Return the command that writes the report with the axis of the figure."""
    return _command("hnet report tradeoff", name, [("--x", x), ("--db", mask_passwords(db)), ("-o", "report")])


def code_of(name: str, db: str, where: str | None, sort: str | None = None) -> str:
    """Return the Python of the same question."""
    arguments = [
        _quoted(name),
        *(f"{key}={_quoted(value)}" for key, value in (("where", where), ("sort", sort)) if value),
    ]
    return (
        f"import studies\n\nfound = studies.open({_quoted(mask_passwords(db))})\nfound.trials({', '.join(arguments)})"
    )


def _command(command: str, name: str, options: Sequence[tuple[str, str | None]]) -> str:
    return " ".join([command, shlex.quote(name), *(f"{option} {shlex.quote(v)}" for option, v in options if v)])


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _parts(where: str | None) -> list[str]:
    """Return the conditions that `and` joins at the top level, as they were written."""
    if where is None:
        return []
    text = where.strip()
    try:
        body = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ConfigInvalid(f"where must be a condition, got {text[:200]!r}.") from None
    if isinstance(body, ast.BoolOp) and isinstance(body.op, ast.And):
        return [_source(text, part) for part in body.values]
    return [_source(text, body)]


def _source(text: str, part: ast.expr) -> str:
    source = ast.get_source_segment(text, part) or text
    return f"({source})" if isinstance(part, ast.BoolOp) else source


def _is_about(part: str, columns: set[str]) -> bool:
    """Return whether a condition compares one of these columns with numbers, and names nothing else."""
    node = ast.parse(part, mode="eval").body
    names = {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
    return isinstance(node, ast.Compare) and len(names) == 1 and names <= columns
