"""Writes the files of a report, each whole or not at all."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from hnet_core.errors import HnetError
from reports.tables import Row, exact_text

_NUMBERS = frozenset({int, float, type(None)})


class ReportNotWritten(HnetError):
    """A place a report cannot be written to."""

    exit_code = 2


def write_all(folder: Path, files: Mapping[str, str | bytes]) -> None:
    """Creates the folder if needed and puts each content in place under its name, replacing an older one.

    Raises:
        ReportNotWritten: if the folder or a file in it cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            part = folder / f".{name}.part"
            # a lone surrogate, which JSON can hold, has no UTF-8 form
            part.write_bytes(content.encode("utf-8", "backslashreplace") if isinstance(content, str) else content)
            os.replace(part, folder / name)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ReportNotWritten(
            f"the report needs a folder it can write to, got {str(folder)!r}: {reason}; name another one with -o."
        ) from None


def csv_text(rows: Sequence[Row]) -> str:
    """Rows as CSV with a header; numbers are exact, missing values empty, lists JSON.

    A text that a spreadsheet would run as a formula gets an apostrophe in front; `report.json` has it as it is.
    """
    names = list(dict.fromkeys(chain.from_iterable(rows)))
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(_harmless(name) for name in names)
    writer.writerows(zip(*(_column([row.get(name) for row in rows]) for name in names), strict=True))
    return buffer.getvalue()


def _column(values: list[Any]) -> list[Any]:
    """Values as the writer is to write them; numbers it spells exactly by itself, and faster."""
    return values if _NUMBERS.issuperset(map(type, values)) else [_spelled(value) for value in values]


def _spelled(value: Any) -> str | None:
    return _harmless(value) if isinstance(value, str) else exact_text(value)


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def json_text(content: Any) -> str:
    """JSON that a person can read and a program can compare: sorted keys, no NaN."""
    return json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False, default=str) + "\n"
