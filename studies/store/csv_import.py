"""Import of results from a CSV file.

One row per evaluation. Columns `number, seed, after_task, on_task, value, target_weights, model_weights` are needed;
`split` (test or validation), `measure` (accuracy or mse, one per file), `hypernet_weights`, `n_tasks` (of the stream),
`state` (COMPLETE or PRUNED), `seconds` and `peak_memory_mib` (of the whole run) may be there; every other column is a
setting by its dotted name, such as `method.name` or `stream.dataset`. Tasks count from 1; `after_task` 0 is the
untrained model.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Literal, cast

from hnet_core.errors import ConfigInvalid, HnetError
from hnet_core.trial import Measure
from studies.database.schema import COMPLETE, PRUNED
from studies.store.csv_records import Records, check_is_text
from studies.store.csv_rows import (
    MAX_NUMBER,
    MAX_SEED,
    NEEDED,
    OF_ROW,
    Cell,
    Settings,
    cell_of,
    columns_of,
    cost_of,
    integer_of,
    looks_like_number,
    settings_of,
    value_of,
)
from studies.store.imported_trials import ImportedRun, ImportedTrial
from studies.store.matrix_gaps import Gaps

ROWS_AT_A_TIME = 10_000
TRIALS_IN_MEMORY = 10_000

Progress = Callable[[str, int, int], None]  # what is being done, how much of it is, of how much


def read_csv(path: Path, progress: Progress | None = None) -> CsvResults:
    """Results of a file, each row checked by itself; rows are checked against each other when trials are iterated.

    Raises:
        ConfigInvalid: naming the line, if the file is no such text, a column is missing, there twice or called like
            one of hnet's own, or a row holds what cannot be.
        NoRoom: if the rows do not fit into the folder of temporary files.
    """
    check_is_text(path)
    try:
        with _room_for(path.name), path.open("rb") as file:
            records = Records(path.name, file, NEEDED)
            columns = columns_of(path.name, records)
            results = CsvResults(path.name, columns)
            for rows, (line, values) in enumerate(records):
                results.add(line, dict(zip(columns, values, strict=True)))
                if progress is not None and rows % ROWS_AT_A_TIME == 0:
                    progress(f"reading {path.name}", records.bytes_read(), records.size)
    except OSError as error:
        raise ConfigInvalid(
            f"a CSV of results must be a text file that can be read, got {path}: {error.strerror}."
        ) from None
    with _room_for(path.name):
        results.finish()
    return results


class NoRoom(HnetError):
    """The folder of temporary files is full."""


@contextmanager
def _room_for(name: str) -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        folder = os.environ.get("SQLITE_TMPDIR") or os.environ.get("TMPDIR") or "/var/tmp"
        raise NoRoom(
            f"the folder of temporary files must have room for the rows of {name}, got: {error} in {folder}; name "
            "another with SQLITE_TMPDIR."
        ) from None


class CsvResults:
    """The results of one file, kept in a temporary database of this process: iterating gives each trial by its number.

    Memory does not grow with the file. Rows may come in any order.

    Attributes:
        measure: measure of every value.
        rows: how many evaluations there are.

    Raises:
        ConfigInvalid: while iterating, if an evaluation is there twice, rows of one run contradict each other, or one
            seed of a trial ends before another.
    """

    measure: Measure

    def __init__(self, name: str, columns: Sequence[str]) -> None:
        self._name = name
        self._columns = [name for name in columns if name not in OF_ROW]  # of the trial, the same in each of its rows
        self._store = sqlite3.connect("")  # a file without a name, gone with the process
        self._store.execute("PRAGMA synchronous = OFF").close()
        self._store.execute("CREATE TABLE trial (number INTEGER PRIMARY KEY, line INTEGER, about TEXT)").close()
        columns_of_cell = "number, seed, split, after_task, on_task, value, seconds, peak_memory_mib, line"
        self._store.execute(f"CREATE TABLE cell ({columns_of_cell})").close()
        self._cells: list[Cell] = []
        self._trials: dict[int, tuple[list[str], int]] = {}
        self._measured_in = 0
        self.rows = 0
        self._gaps = Gaps()
        self._kept_as_text: dict[str, str] = {}  # the first such value of each setting

    def add(self, line: int, row: Mapping[str, str]) -> None:
        """Check one row and keep it."""
        place = f"{self._name}:{line}"
        number = integer_of(place, row, "number", 0, MAX_NUMBER)
        seed = integer_of(place, row, "seed", 0, MAX_SEED)
        self._check_measure(place, row, line)
        self._check_trial(place, row, number, line)
        costs = cost_of(place, row, "seconds"), cost_of(place, row, "peak_memory_mib")
        value = value_of(place, row, self.measure)
        self._cells.append(Cell(number, seed, *cell_of(place, row), value, *costs, line))
        self.rows += 1
        if len(self._cells) == ROWS_AT_A_TIME:
            self._write()

    def finish(self) -> None:
        """Write the last rows; no row is added after that."""
        self._write()
        if not self.rows:
            raise ConfigInvalid(f"{self._name} must hold at least one row of results, got none.")

    def __iter__(self) -> Iterator[ImportedTrial]:
        self._gaps = Gaps()
        query = "SELECT * FROM cell ORDER BY number, seed, split, after_task, on_task, line"
        with _room_for(self._name):
            cells = map(Cell._make, self._store.execute(query))
            for number, of_trial in groupby(cells, key=attrgetter("number")):
                trial = self._trial(number, list(of_trial))
                self._gaps.note(trial)
                self._note_texts(trial)
                yield trial

    def remarks(self) -> list[str]:
        """One line for each kind of missing evaluation, and for each setting with a number kept as text."""
        texts = [
            f"{name} is text where it is written like {text!r}: as a number it would be {float(text):.15g}"
            for name, text in self._kept_as_text.items()
        ]
        return self._gaps.remarks() + texts

    def _note_texts(self, trial: ImportedTrial) -> None:
        for name, value in trial.params.items():
            if isinstance(value, str) and name not in self._kept_as_text and looks_like_number(value):
                self._kept_as_text[name] = value

    def _check_measure(self, place: str, row: Mapping[str, str], line: int) -> None:
        measure = row.get("measure") or "accuracy"
        if measure not in ("accuracy", "mse"):
            raise ConfigInvalid(f"{place}: measure must be accuracy or mse, got {measure!r}.")
        if not self._measured_in:
            self.measure, self._measured_in = cast(Measure, measure), line
        elif measure != self.measure:
            raise ConfigInvalid(
                f"{place}: measure must be the same in the whole file, got {measure!r}, and {self.measure!r} in line "
                f"{self._measured_in}; make a file of each."
            )

    def _check_trial(self, place: str, row: Mapping[str, str], number: int, line: int) -> None:
        """Refuse a row whose settings differ from those of an earlier row of its trial."""
        about = [row[name] for name in self._columns]
        found = self._about(number)
        if found is None:
            settings_of(place, row)
            self._store.execute("INSERT INTO trial VALUES (?, ?, ?)", (number, line, json.dumps(about))).close()
            self._trials[number] = about, line
        elif found[0] != about:
            before, at = dict(zip(self._columns, found[0], strict=True)), found[1]
            column = next(name for name in self._columns if row[name] != before[name])
            raise ConfigInvalid(
                f"{place}: trial {number} must have the same settings in each of its rows, got {row[column]!r} in "
                f"column {column!r}, and {before[column]!r} in line {at}."
            )

    def _about(self, number: int) -> tuple[list[str], int] | None:
        """Settings as text in the first row of a trial, and its line."""
        if number not in self._trials:
            query = "SELECT about, line FROM trial WHERE number = ?"
            found = self._store.execute(query, (number,)).fetchone()
            if found is None:
                return None
            self._trials[number] = json.loads(found[0]), found[1]
        if len(self._trials) > TRIALS_IN_MEMORY:
            self._trials = {number: self._trials[number]}
        return self._trials[number]

    def _write(self) -> None:
        self._store.executemany("INSERT INTO cell VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", self._cells).close()
        self._store.commit()
        self._cells.clear()

    def _trial(self, number: int, cells: Sequence[Cell]) -> ImportedTrial:
        about, line = self._about(number) or ([], 0)
        settings = settings_of(f"{self._name}:{line}", dict(zip(self._columns, about, strict=True)))
        by_seed = {seed: list(of_run) for seed, of_run in groupby(cells, key=attrgetter("seed"))}
        n_tasks = self._n_tasks(number, settings, by_seed)
        runs = [self._run(seed, of_run) for seed, of_run in by_seed.items()]
        reason = "pruned where it was measured" if settings.state == PRUNED else None
        return ImportedTrial(
            number, settings.params, settings.weights, runs, self.measure, n_tasks, settings.state, reason
        )

    def _n_tasks(self, number: int, settings: Settings, by_seed: Mapping[int, Sequence[Cell]]) -> int:
        """Number of tasks of the stream: the column n_tasks, or as many as the longest run has."""
        last = {seed: max(cells, key=attrgetter("after_task")) for seed, cells in by_seed.items()}
        highest = max((max(cells, key=attrgetter("reach")) for cells in by_seed.values()), key=attrgetter("reach"))
        n_tasks = settings.n_tasks or highest.reach
        if highest.reach > n_tasks:
            raise ConfigInvalid(
                f"{self._name}:{highest.line}: after_task and on_task must be at most n_tasks, {n_tasks}, "
                f"got {highest.reach}."
            )
        is_known = settings.n_tasks or any(cell.after_task == n_tasks for cell in last.values())
        short = next((cell for cell in last.values() if cell.after_task < n_tasks), None)
        if short is not None and is_known and settings.state == COMPLETE:
            raise ConfigInvalid(
                f"{self._name}:{short.line}: every seed of trial {number} must end after task {n_tasks}, got seed "
                f"{short.seed}, which ends after task {short.after_task}; complete it or leave its rows out."
            )
        return n_tasks

    def _run(self, seed: int, cells: Sequence[Cell]) -> ImportedRun:
        found: dict[tuple[str, int, int], Cell] = {}
        for cell in cells:
            key = cell.split, cell.after_task, cell.on_task
            if key in found:
                raise ConfigInvalid(
                    f"{self._name}:{cell.line}: each evaluation must be there once, got {key} of seed {seed} in line "
                    f"{found[key].line} too."
                )
            found[key] = cell
        seconds, peak = (self._cost_of_run(cells, name) for name in ("seconds", "peak_memory_mib"))
        return ImportedRun(seed, {key: cell.value for key, cell in found.items()}, seconds, peak)

    def _cost_of_run(self, cells: Sequence[Cell], name: Literal["seconds", "peak_memory_mib"]) -> float:
        """Cost of a run as its rows give it, 0 where none does."""
        given = [(getattr(cell, name), cell.line) for cell in cells if getattr(cell, name) is not None]
        for value, line in given:
            if value != given[0][0]:
                raise ConfigInvalid(
                    f"{self._name}:{line}: {name} of the whole run must be the same in each row of trial "
                    f"{cells[0].number}, seed {cells[0].seed}, got {value}, and {given[0][0]} in line {given[0][1]}."
                )
        return float(given[0][0]) if given else 0.0
