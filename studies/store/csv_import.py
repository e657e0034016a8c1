"""Import of results from a CSV file.

One row per evaluation. Columns `number, seed, after_task, on_task, value, target_weights, model_weights` are needed;
`split` (test or validation), `measure` (accuracy or mse), `hypernet_weights`, `seconds` and `peak_memory_mib` (of the
whole run) may be there; every other column is a setting by its dotted name, such as `method.name` or `stream.dataset`.
Tasks count from 1; `after_task` 0 is the untrained model.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from hnet_core.errors import ConfigInvalid
from hnet_core.trial import WeightCounts
from studies.spreadsheet import FORMULA_STARTS
from studies.store.importing import ImportedRun, ImportedTrial

NEEDED = ("number", "seed", "after_task", "on_task", "value", "target_weights", "model_weights")
OPTIONAL = ("split", "measure", "hypernet_weights", "seconds", "peak_memory_mib")
MAX_TASKS = 1000
MAX_NUMBER, MAX_SEED = 2**31 - 1, 2**63 - 1
MAX_WEIGHTS = 10**15
OF_TRIAL = ("target_weights", "model_weights", "hypernet_weights", "measure")


def read_csv(path: Path) -> list[ImportedTrial]:
    """Read the trials of a CSV file, by number.

    Raises:
        ConfigInvalid: naming the line, if a column is missing, a value is no number or out of range, a cell is there
            twice, or two rows of one trial disagree about its settings.
    """
    trials: dict[int, dict[str, Any]] = {}
    cells: dict[int, dict[int, dict[tuple[str, int, int], float]]] = {}
    costs: dict[tuple[int, int], tuple[float, float]] = {}
    for line, row in _rows(path):
        place = f"{path.name}:{line}"
        number, seed = _integer(place, row, "number", 0, MAX_NUMBER), _integer(place, row, "seed", 0, MAX_SEED)
        of_trial = _trial(place, row)
        if trials.setdefault(number, of_trial) != of_trial:
            raise ConfigInvalid(f"{place}: trial {number} must have the same settings in each of its rows.")
        cell = _cell(place, row)
        of_run = cells.setdefault(number, {}).setdefault(seed, {})
        if cell in of_run:
            raise ConfigInvalid(f"{place}: each evaluation must be there once, got {cell} of seed {seed} twice.")
        of_run[cell] = _value(place, row, of_trial["measure"])
        costs[number, seed] = _number(place, row, "seconds"), _number(place, row, "peak_memory_mib")
    if not trials:
        raise ConfigInvalid(f"{path.name} must hold at least one row of results, got none.")
    return [
        ImportedTrial(
            params=about["params"],
            counts=about["counts"],
            measure=about["measure"],
            runs=[ImportedRun(seed, cells[number][seed], *costs[number, seed]) for seed in sorted(cells[number])],
        )
        for number, about in sorted(trials.items())
    ]


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            missing = [name for name in NEEDED if name not in (reader.fieldnames or ())]
            if missing:
                raise ConfigInvalid(
                    f"{path.name} must have the columns {', '.join(NEEDED)}; {', '.join(missing)} missing."
                )
            for row in reader:
                if None in row or None in row.values():
                    raise ConfigInvalid(
                        f"{path.name}:{reader.line_num}: must have as many values as there are columns."
                    )
                yield reader.line_num, row
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigInvalid(f"a CSV of results must be a text file that can be read, got {path}: {error}.") from None


def _trial(place: str, row: Mapping[str, str]) -> dict[str, Any]:
    target, model = (_integer(place, row, name, 1, MAX_WEIGHTS) for name in ("target_weights", "model_weights"))
    hypernet = _integer(place, row, "hypernet_weights", 0, MAX_WEIGHTS) if row.get("hypernet_weights") else 0
    measure = row.get("measure") or "accuracy"
    if measure not in ("accuracy", "mse"):
        raise ConfigInvalid(f"{place}: measure must be accuracy or mse, got {measure!r}.")
    settings = {name: _plain(text) for name, text in row.items() if name not in (*NEEDED, *OPTIONAL) and text != ""}
    return {"params": settings, "counts": WeightCounts(target, model, hypernet, 0), "measure": measure}


def _cell(place: str, row: Mapping[str, str]) -> tuple[str, int, int]:
    split = row.get("split") or "test"
    if split not in ("test", "validation"):
        raise ConfigInvalid(f"{place}: split must be test or validation, got {split!r}.")
    return split, _integer(place, row, "after_task", 0, MAX_TASKS), _integer(place, row, "on_task", 1, MAX_TASKS)


def _value(place: str, row: Mapping[str, str], measure: Literal["accuracy", "mse"]) -> float:
    value = _number(place, row, "value")
    if measure == "accuracy" and not 0 <= value <= 1:
        raise ConfigInvalid(f"{place}: an accuracy must be between 0 and 1, got {row['value']}; divide percent by 100.")
    return value


def _integer(place: str, row: Mapping[str, str], name: str, least: int, most: int) -> int:
    try:
        value = int(row[name])
    except ValueError:
        value = least - 1
    if not least <= value <= most:
        raise ConfigInvalid(f"{place}: {name} must be an integer from {least} to {most:,}, got {row[name][:40]!r}.")
    return value


def _number(place: str, row: Mapping[str, str], name: str) -> float:
    """Parse a finite number; 0 where an optional column is missing."""
    text = row.get(name) or ("" if name == "value" else "0")
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ConfigInvalid(f"{place}: {name} must be a number, got {text!r}.")
    return value


def _plain(text: str) -> Any:
    """Parse a setting as a number, else as text without the apostrophe that `harmless` adds."""
    if text.startswith("'") and text[1:].startswith(FORMULA_STARTS):
        return text[1:]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
