"""One row of a CSV of results: its columns, and the checks each value must pass by itself."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Literal, NamedTuple, cast

from hnet_core.errors import ConfigInvalid
from hnet_core.trial import MATRICES, Measure
from studies.database.schema import COMPLETE, PRUNED
from studies.spreadsheet import FORMULA_STARTS
from studies.store.csv_records import DELIMITERS, Records
from studies.store.imported_trials import ImportedWeights, setting_names, value_of_text

NEEDED = ("number", "seed", "after_task", "on_task", "value", "target_weights", "model_weights")
OPTIONAL = ("split", "measure", "hypernet_weights", "n_tasks", "state", "seconds", "peak_memory_mib")
OF_TRIAL = frozenset({"target_weights", "model_weights", "hypernet_weights", "n_tasks", "state"})
OF_ROW = frozenset({*NEEDED, *OPTIONAL} - OF_TRIAL)
MAX_TASKS = 1000
MAX_NUMBER, MAX_SEED = 2**31 - 1, 2**63 - 1
MAX_WEIGHTS = 10**15


class Cell(NamedTuple):
    """One row of the file; a cost that is left out is None."""

    number: int
    seed: int
    split: str
    after_task: int
    on_task: int
    value: float
    seconds: float | None
    peak_memory_mib: float | None
    line: int

    @property
    def reach(self) -> int:
        """The number of tasks the stream has at least."""
        return max(self.after_task, self.on_task)


class Settings(NamedTuple):
    """Settings of a trial as one row gives them."""

    params: dict[str, Any]
    weights: ImportedWeights
    n_tasks: int  # 0: not given
    state: Literal["COMPLETE", "PRUNED"]


def columns_of(name: str, records: Records) -> list[str]:
    """The columns of a file, settings by their dotted names."""
    place = f"{name}:1"
    header = [_plain(column) for column in records.header]
    missing = [column for column in NEEDED if column not in header]
    if missing:
        lacks = ", ".join(missing) if len(missing) < len(NEEDED) else "all"
        read = (
            f"read with {DELIMITERS[records.delimiter]} between its values ({', '.join(DELIMITERS.values())} are known)"
        )
        raise ConfigInvalid(
            f"{place}: must have the columns {', '.join(NEEDED)}; {lacks} missing; {read}, "
            f"got {', '.join(header)[:200]!r}."
        )
    unnamed = [column for column in header if not column or re.fullmatch(r"Unnamed: \d+", column)]
    if unnamed:
        raise ConfigInvalid(
            f"{place}: column {header.index(unnamed[0]) + 1} must have a name; pandas writes its index so, "
            "leave it out with index=False."
        )
    ours = {*NEEDED, *OPTIONAL}
    twice = next((column for column in header if column in ours and header.count(column) > 1), None)
    if twice is not None:
        raise ConfigInvalid(f"{place}: each column must be there once, got {twice!r} twice.")
    try:
        settings = iter(setting_names([column for column in header if column not in ours]))
    except ConfigInvalid as error:
        raise ConfigInvalid(f"{place}: {error}") from None
    return [column if column in ours else next(settings) for column in header]


def settings_of(place: str, row: Mapping[str, str]) -> Settings:
    target, model = (integer_of(place, row, name, 1, MAX_WEIGHTS) for name in ("target_weights", "model_weights"))
    hypernet = integer_of(place, row, "hypernet_weights", 0, MAX_WEIGHTS) if row.get("hypernet_weights") else None
    n_tasks = integer_of(place, row, "n_tasks", 1, MAX_TASKS) if row.get("n_tasks") else 0
    state = row.get("state") or COMPLETE
    if state not in (COMPLETE, PRUNED):
        raise ConfigInvalid(
            f"{place}: state must be {COMPLETE} or {PRUNED}, got {state!r}; another column is a setting under a name "
            "such as theirs.state."
        )
    params = {
        name: value_of_text(_plain(text))
        for name, text in row.items()
        if text and name not in OF_ROW and name not in OF_TRIAL
    }
    return Settings(params, ImportedWeights(target, model, hypernet), n_tasks, cast(Any, state))


def cell_of(place: str, row: Mapping[str, str]) -> tuple[str, int, int]:
    split = row.get("split") or "test"
    if split not in MATRICES:
        raise ConfigInvalid(f"{place}: split must be one of {', '.join(MATRICES)}, got {split!r}.")
    return split, integer_of(place, row, "after_task", 0, MAX_TASKS), integer_of(place, row, "on_task", 1, MAX_TASKS)


def value_of(place: str, row: Mapping[str, str], measure: Measure) -> float:
    value = _number(place, row, "value")
    if row.get("split") == "gradient_cosine":
        if abs(value) > 1:
            raise ConfigInvalid(f"{place}: a cosine must be between -1 and 1, got {row['value']}.")
        return value
    if measure == "accuracy" and not 0 <= value <= 1:
        raise ConfigInvalid(f"{place}: an accuracy must be between 0 and 1, got {row['value']}; divide percent by 100.")
    if value < 0:
        raise ConfigInvalid(f"{place}: an mse must be 0 or more, got {row['value']}.")
    return value


def cost_of(place: str, row: Mapping[str, str], name: str) -> float | None:
    """A number of 0 or more, None where the column or the value is left out."""
    if not row.get(name):
        return None
    value = _number(place, row, name)
    if value < 0:
        raise ConfigInvalid(f"{place}: {name} must be 0 or more, got {row[name]}.")
    return value


def integer_of(place: str, row: Mapping[str, str], name: str, least: int, most: int) -> int:
    value = _whole(row[name])
    if value is None or not least <= value <= most:
        raise ConfigInvalid(f"{place}: {name} must be an integer from {least} to {most:,}, got {row[name][:40]!r}.")
    return value


@lru_cache(maxsize=100_000)
def _whole(text: str) -> int | None:
    """A whole number; 3.0 is one too, as pandas writes a column of integers in which one is missing."""
    digits = _INTEGER.fullmatch(text)
    return int(digits[1]) if digits else None


def looks_like_number(text: str) -> bool:
    """Return whether a text is a finite number in some way of writing, such as 007 or 1e-3."""
    return _NUMBER.fullmatch(text) is not None and math.isfinite(float(text))


_INTEGER = re.compile(r"([+-]?[0-9]{1,30})(?:\.0*)?")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


def _number(place: str, row: Mapping[str, str], name: str) -> float:
    """A finite number, as decimal digits with a point."""
    text = row[name]
    value = float(text) if _NUMBER.fullmatch(text) else math.nan
    if not math.isfinite(value):
        comma = "; write a decimal point" if _NUMBER.fullmatch(text.replace(",", ".")) and "," in text else ""
        raise ConfigInvalid(f"{place}: {name} must be a number, got {text[:40]!r}{comma}.")
    return value


def _plain(text: str) -> str:
    """A text without the apostrophe that `harmless` of the output put there."""
    return text[1:] if text.startswith("'") and text[1:].startswith(FORMULA_STARTS) else text
