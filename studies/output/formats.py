"""Output of a command as a terminal table, JSON or CSV.

Data goes to standard output or a file, messages to stderr. A metric over seeds is `{"mean", "low", "high", "n"}` in
JSON, four columns in CSV and `0.957 [0.951, 0.963] n=3` in a table. Numbers in JSON and CSV are exact; a missing one is
null or empty. Untrusted text is escaped: see `visible` and `harmless`; JSON has every text unchanged.
"""

from __future__ import annotations

import csv
import io
import json
import math
import os
import re
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from hnet_core.dotted_keys import short_names
from hnet_core.errors import ConfigInvalid
from studies.output.closed_pipe import discard
from studies.output.output_file import check_holds_no_database
from studies.spreadsheet import harmless
from studies.statistics.interval import Interval

Format = Literal["table", "json", "csv", "jsonl"]
INTERVAL_KEYS = ("mean", "low", "high", "n")
BORDER, BETWEEN_COLUMNS = 1, 3  # characters of a table beside its cells
TEXT_WIDTH = 24  # a longer text may be broken between words
MAX_NAMES = 6


def write(
    rows: Sequence[Mapping[str, Any]],
    columns: Sequence[str],
    format: Format,
    output: Path | None = None,
    title: str | None = None,
    importance: Sequence[str] | None = None,
) -> None:
    """Write a list of rows; an empty table gives a message on standard error, and so do columns that do not fit.

    Args:
        columns: keys of the rows to write, in this order; a key a row does not have is missing there.
        output: file to write instead of standard output.
        title: headline of the table.
        importance: the columns, the most important one first: those that do not fit into the width of a terminal are
            left out of a table from the end. None: in the order of `columns`.

    Raises:
        ConfigInvalid: if the format is unknown or the file cannot be written.
    """
    chosen = [{column: row.get(column) for column in columns} for row in rows]
    if format == "table" and not rows:
        say(f"{title}: no rows." if title else "no rows.")
    else:
        shown = list(columns)
        width = _screen_width() if format == "table" and output is None else None
        if width is not None:
            shown = _fitting(chosen, shown, list(importance or columns), width)
            _name_left_out([column for column in columns if column not in shown], width)
        emit(_text(chosen, shown, format, title, to_screen=output is None), output)


def write_object(
    content: Mapping[str, Any], format: Format, output: Path | None = None, title: str | None = None
) -> None:
    """Write one thing with named parts: a JSON object, one CSV row, or a table of name and value."""
    if format == "table":
        parts = [
            {"name": name, "value": _lines(value)} for name, value in content.items() if value not in (None, {}, [])
        ]
        emit(_table(parts, ["name", "value"], title, to_screen=output is None, heads=False), output)
    elif format == "csv":
        emit(csv_text([content], list(content)), output)
    else:
        emit(json_text(content, indent=2 if format == "json" else None), output)


def say(message: str) -> None:
    """Print a message to standard error; if its reader has left, the command goes on without."""
    try:
        print(visible(message), file=sys.stderr)
    except BrokenPipeError:
        discard(sys.stderr)


def emit(text: str, output: Path | None) -> None:
    """Write text to standard output, or to a file with a message."""
    if output is None:
        if sys.stdout is None:  # closed by the parent process
            raise ConfigInvalid("standard output must be open to write to, got a closed one; name a file with -o.")
        sys.stdout.write(text)
        return
    check_holds_no_database(output, "-o")
    try:
        output.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise ConfigInvalid(f"-o must name a file that can be written, got {output}: {error.strerror}.") from None
    say(f"wrote {output}")


def plain(value: Any) -> Any:
    """Convert numpy and pandas types, dates and missing values into plain JSON types."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, datetime):
        return value.isoformat() if value == value else None  # NaT is not equal to itself
    if value is None or type(value).__name__ == "NAType":
        return None
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, Decimal):
        value = float(value)
    return None if isinstance(value, float) and not math.isfinite(value) else value


def one_line(value: Any) -> str:
    """A value as JSON on one line, every text as it is and a number that is none as null."""
    return json.dumps(plain(value), allow_nan=False, ensure_ascii=False)


_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def visible(text: str) -> str:
    """Escape control characters, which could command a terminal or reverse its text direction."""
    return _UNSEEN.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def is_interval(value: Any) -> bool:
    return isinstance(value, Mapping) and tuple(value) == INTERVAL_KEYS


def show_value(value: Any) -> str:
    """Format a value for a table: four significant digits, a mean to two digits of its interval."""
    if isinstance(value, datetime) and value == value:
        return f"{value:%Y-%m-%d %H:%M:%S}"
    value = plain(value)
    if value is None:
        return "-"
    if is_interval(value):
        return _show_interval(**value)
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {show_value(item)}" for key, item in value.items() if item is not None)
    if isinstance(value, list):
        return f"[{', '.join(show_value(item) for item in value)}]"
    return str(value)


def _show_interval(mean: float | None, low: float | None, high: float | None, n: int) -> str:
    if mean is None:
        return "-"
    if low is None or high is None:
        return f"{mean:.4g} n={n}" if n else f"{mean:.4g}"
    interval = Interval(mean, low, high, n)
    if not interval.has_width:
        return f"{mean:.4g}"
    return f"{interval.mean_text()} {interval.range_text()} n={n}"


def _is_empty(value: Any) -> bool:
    return value in (None, {}, []) or (is_interval(value) and value["mean"] is None)


def _lines(value: Any) -> Any:
    """Format a value with parts, one part a line; of a long text only the number of lines is shown."""
    if is_interval(value):
        return value
    if isinstance(value, Mapping):
        return "\n".join(f"{key}: {_short(item)}" for key, item in value.items() if item is not None)
    if isinstance(value, list):
        return "\n".join(_short(item) for item in value)
    return value


def _short(value: Any) -> str:
    if isinstance(value, Mapping) and not is_interval(value):
        return ", ".join(f"{key} {_short(item)}" for key, item in value.items() if item is not None)
    if isinstance(value, str) and "\n" in value:
        return f"({len(value.splitlines())} lines)"
    return show_value(value)


def _text(rows: list[dict[str, Any]], columns: list[str], format: Format, title: str | None, to_screen: bool) -> str:
    if format == "json":
        return json_text({"rows": rows}, indent=2)
    if format == "jsonl":
        return "".join(json_text(row) for row in rows)
    if format == "csv":
        return csv_text(rows, columns)
    if format == "table":
        return _table(rows, columns, title, to_screen)
    raise ConfigInvalid(f"--format must be table, json, csv or jsonl, got {format!r}.")


def json_text(content: Any, indent: int | None = None) -> str:
    """Format plain JSON: a number that is none as null, every text as it is."""
    return json.dumps(plain(content), indent=indent, allow_nan=False, ensure_ascii=False) + "\n"


def csv_text(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> str:
    """Format rows as CSV with a header; a metric over seeds is four columns."""
    intervals = {column for column in columns if any(is_interval(row.get(column)) for row in rows)}
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(harmless(name) for column in columns for name in _csv_names(column, column in intervals))
    for row in rows:
        writer.writerow(cell for column in columns for cell in _csv_cells(row.get(column), column in intervals))
    return text.getvalue()


def _csv_names(column: str, interval: bool) -> Iterable[str]:
    return (column, f"{column}.low", f"{column}.high", f"{column}.n") if interval else (column,)


def _csv_cells(value: Any, interval: bool) -> list[Any]:
    value = plain(value)
    if interval:
        return [value[key] for key in INTERVAL_KEYS] if is_interval(value) else [None] * len(INTERVAL_KEYS)
    if isinstance(value, str):
        return [harmless(value)]
    return [one_line(value) if isinstance(value, dict | list) else value]


def _screen_width() -> int | None:
    """Return the width of the terminal, or COLUMNS where that is set; None where a table may be of any width."""
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal() and int(columns) > 0:
        return int(columns)
    return shutil.get_terminal_size().columns if _is_terminal() else None


def _is_terminal() -> bool:
    return sys.stdout is not None and sys.stdout.isatty()


def _fitting(rows: list[dict[str, Any]], columns: list[str], importance: list[str], width: int) -> list[str]:
    """Return the columns that fit beside each other, in their order; the most important one always does."""
    labels = dict(zip(columns, _labels(columns), strict=True))
    kept: list[str] = []
    free = width - BORDER
    for column in importance:
        needed = _least_width(labels[column], [row[column] for row in rows]) + BETWEEN_COLUMNS
        if needed <= free or not kept:
            kept.append(column)
            free -= needed
    return [column for column in columns if column in kept]


def _least_width(label: str, values: Sequence[Any]) -> int:
    """Return the characters a column needs: headings and numbers are not broken, a long text is over several lines."""
    from rich.cells import cell_len

    texts = [visible(show_value(value)) for value in values]
    widest = max(map(cell_len, texts), default=0)
    return max(cell_len(visible(label)), widest if _is_numeric(values) else min(widest, TEXT_WIDTH))


def _is_numeric(values: Iterable[Any]) -> bool:
    return any(isinstance(plain(value), int | float | dict) for value in values)


def _name_left_out(columns: Sequence[str], width: int) -> None:
    if columns:
        names = ", ".join(columns[:MAX_NAMES]) + (", ..." if len(columns) > MAX_NAMES else "")
        many = f"{len(columns)} columns are" if len(columns) > 1 else "1 column is"
        say(f"{many} left out, as the table is {width} characters wide: {names}; see all with --format csv or json.")


def _table(
    rows: list[dict[str, Any]], columns: list[str], title: str | None, to_screen: bool, heads: bool = True
) -> str:
    from rich import box
    from rich.cells import cell_len
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(
        title=None if title is None else visible(title),
        title_justify="left",
        box=box.SIMPLE_HEAD if heads else None,
        show_header=heads,
    )
    for column, label in zip(columns, _labels(columns), strict=True):
        numeric = heads and _is_numeric(row[column] for row in rows)
        table.add_column(
            visible(label),
            justify="right" if numeric else "left",
            overflow="fold",
            no_wrap=numeric,
            min_width=cell_len(visible(label)) if heads else None,
        )
    for row in rows:
        table.add_row(*(Text(visible(show_value(row[column]))) for column in columns))
    width = _screen_width() if to_screen else None
    on_terminal = to_screen and _is_terminal()
    # No terminal, no wrapping: every row stays one line.
    plain: dict[str, Any] = {"markup": False, "emoji": False}
    if on_terminal:
        console = Console(file=sys.stdout, width=width, **plain)
    else:
        console = Console(width=width or 10_000, no_color=True, **plain)
    with console.capture() as captured:
        console.print(table)
    lines = captured.get().splitlines()
    return "\n".join(line.rstrip() for line in lines).strip("\n") + "\n"


def _labels(columns: list[str]) -> list[str]:
    """Return headings: the last part of a dotted name where it is unique, else the full name."""
    return list(short_names(columns).values())
