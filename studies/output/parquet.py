"""Parquet output, which other programs read fastest and with column types."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from hnet_core.errors import ConfigInvalid
from studies.output.formats import one_line, say
from studies.output.output_file import check_holds_no_database

if TYPE_CHECKING:
    import pandas as pd


def write_parquet(frame: pd.DataFrame, output: Path | None) -> None:
    """Write every column with its type; one that holds values of several kinds, or lists, becomes JSON text.

    Raises:
        ConfigInvalid: if no file is named (Parquet is binary), or it cannot be written.
    """
    if output is None:
        raise ConfigInvalid("--format parquet needs a file to write; name it with -o.")
    check_holds_no_database(output, "-o")
    plain = frame.copy()
    for column in [name for name in plain.columns if plain[name].dtype.kind == "O"]:
        plain[column] = _one_kind(plain[column])
    try:
        plain.to_parquet(output, engine="pyarrow", index=False)
    except OSError as error:
        raise ConfigInvalid(
            f"-o must name a file that can be written, got {output}: {error.strerror or error}."
        ) from None
    say(f"wrote {output}")


def _one_kind(column: pd.Series[Any]) -> pd.Series[Any]:
    kinds = {type(value) for value in column if value is not None}
    if len(kinds) <= 1 and not kinds & {dict, list}:
        return column
    return column.map(lambda value: None if value is None else one_line(value))
