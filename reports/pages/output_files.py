"""Atomic writing of the files of a report, and their CSV and JSON text."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hnet_core.errors import HnetError
from reports.exact_values import exact_floats, exact_text, json_finite, map_distinct
from reports.table import Columns, Row, columns_of
from studies.spreadsheet import harmless

SUMMARY = "report.json"


class ReportNotWritten(HnetError):
    """Error: a report cannot be written to its folder."""

    exit_code = 2


def write_report(out: Path, page: str, files: Mapping[str, str | bytes], summary: Mapping[str, Any]) -> Path:
    """Write the files of a report and `report.json`, and return the path of the page.

    Args:
        page: the file name of the page among `files`.
        summary: the content of `report.json`; the names of all files are added to it.

    Raises:
        ReportNotWritten: if the folder or a file in it cannot be written.
    """
    listed = sorted([*files, SUMMARY])
    write_all(out, {**files, SUMMARY: json_text({**summary, "files": listed})})
    return out / page


def write_all(folder: Path, files: Mapping[str, str | bytes]) -> None:
    """Create the folder if needed and write each file atomically, replacing an older one.

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


def csv_text(table: Sequence[Row] | Columns) -> str:
    """Format rows as CSV with a header; numbers are exact, missing values empty, lists JSON.

    A text that a spreadsheet would run as a formula gets an apostrophe in front; `report.json` has it as it is.
    """
    columns = table if isinstance(table, Mapping) else columns_of(table)
    header = ",".join(map(_cell, columns))
    lines = map(",".join, zip(*map(_cells, columns.values()), strict=True))
    # A line that is a single missing value would be no line at all.
    return "\n".join([header, *(line or '""' for line in lines), ""])


def _cells(values: Sequence[Any]) -> list[str]:
    kinds = set(map(type, values)) - {type(None)}
    if kinds == {float}:
        return exact_floats(values)
    if kinds <= {int, float}:
        return ["" if value is None else repr(value) for value in values]
    return map_distinct(_cell, values)


def _cell(value: Any) -> str:
    """Format one value, in quotes where CSV needs them."""
    text = exact_text(value)
    if not text:
        return ""
    if isinstance(value, str):
        text = harmless(text)
    if text.isalnum():
        return text
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerow((text,))
    return buffer.getvalue()[:-1]


def json_text(content: Any) -> str:
    """Format JSON with indentation, sorted keys, and null in place of NaN and infinity."""
    return (
        json.dumps(json_finite(content), indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False, default=str)
        + "\n"
    )
