"""Reader of a paper: a YAML file of configurations and a CSV file of cells, checked, as published tables.

    cite: ...
    url: ...
    tables: {table1: CAPTION}
    configurations:
      split:
        trial: {stream: {...}, method: {...}, ...}     # as in a sweep spec
        reduced: {training: {iterations: 500}}         # its changes at --scale reduced, and smoke
        free: [hypernet.activation]                    # fields that do not matter
      split-domain: {like: split, trial: {scenario: domain}}
    cells:
      - {table: table1, rows: {S-CL1: split, S-CL2: split-domain}, columns: [HNET], metric: final_accuracy}
      - {table: table1, columns: [time], reason: another machine}

`like` takes over one configuration or several, later ones changing earlier ones as a family changes a trial block. A
row names a configuration, {configuration: metric}, or a list of either, the preferred one first; `columns` may give
each column its metric. Rows or columns left out are all of the table. The CSV has the columns table, row, column, unit,
text, value, spread, spread_kind, n and erratum.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, get_args

from pydantic import Field, ValidationError, model_validator

from hnet_core.component_check import Path as KeyPath
from hnet_core.component_check import explain
from hnet_core.errors import ConfigInvalid
from hnet_core.options import Options
from hnet_core.registry import did_you_mean
from reports.data.published_cells import (
    SCALES,
    Configuration,
    MeasuredBy,
    PublishedCell,
    PublishedTable,
    Scale,
    SpreadKind,
)
from studies.spec.conditions import changed
from studies.spec.document import Document, parse_document

COLUMNS = ("table", "row", "column", "unit", "text", "value", "spread", "spread_kind", "n", "erratum")
UNITS = ("percent", "minutes", "weights", "MiB", "values")
SPREAD_KINDS = get_args(SpreadKind)
NUMBERS: tuple[tuple[str, Callable[[str], float], str], ...] = (
    ("value", float, ""),
    ("spread", float, " above 0"),
    ("n", int, " above 0"),
)

Reference = str | dict[str, str]


class ConfigurationEntry(Options):
    """A configuration, or a part of one that others take over."""

    like: str | list[str] = Field(default=[])
    note: str = ""
    trial: dict[str, Any] = Field(default={})
    reduced: dict[str, Any] = Field(default={})
    smoke: dict[str, Any] = Field(default={})
    free: list[str] = Field(default=[])

    @property
    def parents(self) -> list[str]:
        return [self.like] if isinstance(self.like, str) else self.like


class CellsEntry(Options):
    """What measures some cells of a table, or the reason why nothing does."""

    table: str
    rows: list[str] | dict[str, Reference | list[Reference]] | None = None
    columns: list[str] | dict[str, str] | None = None
    metric: str = "final_accuracy"
    reason: str = ""

    @model_validator(mode="after")
    def _one_of_both(self) -> CellsEntry:
        if bool(self.reason) == isinstance(self.rows, dict):
            raise ValueError("must have either a reason, or rows with their configurations")
        return self


class PaperEntry(Options):
    """A paper: its tables, the configurations that measure them, and which of these measures which cell."""

    cite: str = Field(min_length=1)
    url: str = ""
    tables: dict[str, str] = Field(min_length=1)
    configurations: dict[str, ConfigurationEntry] = Field(default={})
    cells: list[CellsEntry] = Field(default=[])


def read_tables(name: str, content: str, cells: str, source: str | None = None) -> tuple[PublishedTable, ...]:
    """Read the tables of a paper.

    Args:
        name: of the paper; its tables are called NAME:TABLE.
        content: the YAML text.
        cells: the CSV text.
        source: file name of the YAML in errors.

    Raises:
        ConfigInvalid: one line per thing that is wrong, with file, line and key.
    """
    document = parse_document(content, source or f"{name}.yaml")
    try:
        paper = PaperEntry.model_validate(document.content)
    except ValidationError as error:
        lines = [f"{document.place(one.path)}: {one}" for one in explain(error, PaperEntry)]
        raise ConfigInvalid("\n".join(dict.fromkeys(lines))) from None
    csv_name = document.source.removesuffix(".yaml").removesuffix(".yml") + ".csv"
    rows = _rows(cells, csv_name, paper)
    configurations = _configurations(document, paper)
    measured_by = _measured_by(document, paper, rows, configurations)
    return tuple(
        PublishedTable(
            f"{name}:{table}",
            caption,
            paper.cite,
            paper.url,
            tuple(_cell(row, *measured_by.get(key, ((), ""))) for key, row in rows.items() if key[0] == table),
        )
        for table, caption in paper.tables.items()
    )


CellKey = tuple[str, str, str]
WaysAndReason = tuple[tuple[MeasuredBy, ...], str]


def _rows(text: str, source: str, paper: PaperEntry) -> dict[CellKey, dict[str, str]]:
    """Read the cells by table, row and column."""
    reader = csv.DictReader(io.StringIO(text))
    missing = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
    if missing:
        raise ConfigInvalid(f"{source}:1: must have the columns {', '.join(COLUMNS)}; lacks {', '.join(missing)}.")
    found: dict[CellKey, dict[str, str]] = {}
    for row in reader:
        place = f"{source}:{reader.line_num}"
        key = (row["table"], row["row"], row["column"])
        if key[0] not in paper.tables:
            raise ConfigInvalid(f"{place}: table: unknown table {key[0]!r}{did_you_mean(key[0], paper.tables)}.")
        if key in found:
            raise ConfigInvalid(f"{place}: each cell must be there once, got {', '.join(key)} twice.")
        _check_row(row, place)
        found[key] = row
    return found


def _check_row(row: Mapping[str, str | None], place: str) -> None:
    if any(row[column] is None for column in COLUMNS):
        raise ConfigInvalid(f"{place}: must have a value for each column, got fewer; text with commas needs quotes.")
    for column, known in (("unit", UNITS), ("spread_kind", SPREAD_KINDS)):
        if row[column] not in known:
            raise ConfigInvalid(f"{place}: {column}: must be one of {', '.join(known)}, got {row[column]!r}.")
    for column, kind, rule in NUMBERS:
        _check_number(row[column] or "", kind, rule, f"{place}: {column}")
    if bool(row["spread"]) == (row["spread_kind"] == "none"):
        raise ConfigInvalid(
            f"{place}: spread_kind: must be none exactly where there is no spread, got {row['spread_kind']!r}."
        )
    text = row["text"] or ""
    if not text:
        raise ConfigInvalid(f"{place}: text: must hold the number as printed, got nothing.")
    printed = {float(number) for number in re.findall(r"-?\d+(?:\.\d+)?", text.replace(",", ""))}
    if row["value"] and not row["erratum"] and float(row["value"]) not in printed:
        raise ConfigInvalid(
            f"{place}: text: must hold the value {row['value']} as printed, or erratum say why, got {text!r}."
        )


def _check_number(text: str, kind: Callable[[str], float], rule: str, place: str) -> None:
    try:
        number = kind(text or "1")
    except ValueError:
        raise ConfigInvalid(f"{place}: must be a number or empty, got {text!r}.") from None
    if not math.isfinite(number) or (rule and number <= 0):
        raise ConfigInvalid(f"{place}: must be a number{rule} or empty, got {text!r}.")


def _configurations(document: Document, paper: PaperEntry) -> dict[str, Configuration]:
    """Build every configuration with what it takes over from others."""
    found: dict[str, Configuration] = {}

    def build(name: str, users: tuple[str, ...]) -> Configuration:
        if name not in found:
            entry, place = paper.configurations[name], ("configurations", name, "like")
            for parent in entry.parents:
                if parent not in paper.configurations:
                    guess = did_you_mean(parent, paper.configurations)
                    raise _wrong(document, place, f"unknown configuration {parent!r}{guess}")
                if parent in (*users, name):
                    raise _wrong(document, place, f"must not lead back to itself, got {parent!r}")
            found[name] = _combined(name, entry, [build(parent, (*users, name)) for parent in entry.parents])
        return found[name]

    for name in paper.configurations:
        build(name, ())
    return found


def _combined(name: str, entry: ConfigurationEntry, parents: Sequence[Configuration]) -> Configuration:
    """Change the parents' blocks one after the other, then by the entry's own.

    The block of a scale holds only changes until `_with_scales` applies them.
    """
    own: dict[Scale, Mapping[str, Any]] = {"full": entry.trial, "reduced": entry.reduced, "smoke": entry.smoke}
    blocks: dict[Scale, Mapping[str, Any]] = {scale: {} for scale in SCALES}
    for changes in (*(parent.blocks for parent in parents), own):
        blocks = {scale: changed(blocks[scale], changes[scale]) for scale in SCALES}
    note = entry.note or " ".join(dict.fromkeys(parent.note for parent in parents if parent.note))
    free = dict.fromkeys(one for each in (*(parent.free for parent in parents), entry.free) for one in each)
    return Configuration(name, note, blocks, tuple(free))


def _with_scales(one: Configuration) -> Configuration:
    """Apply the changes of each scale to the full trial; a scale without changes is no scale of it."""
    full = one.blocks["full"]
    scaled = {scale: changed(full, one.blocks[scale]) for scale in SCALES[1:] if one.blocks[scale]}
    return Configuration(one.name, one.note, {"full": full, **scaled}, one.free)


def _measured_by(
    document: Document,
    paper: PaperEntry,
    rows: Mapping[CellKey, object],
    configurations: Mapping[str, Configuration],
) -> dict[CellKey, WaysAndReason]:
    """Return what measures each cell, and the reason where nothing does, by table, row and column."""
    whole = {name: _with_scales(one) for name, one in configurations.items()}
    found: dict[CellKey, WaysAndReason] = {}
    for position, entry in enumerate(paper.cells):
        place = ("cells", position)
        if entry.table not in paper.tables:
            guess = did_you_mean(entry.table, paper.tables)
            raise _wrong(document, (*place, "table"), f"unknown table {entry.table!r}{guess}")
        keys = list(_keys(document, place, entry, rows))
        for key in keys:
            if key in found:
                raise _wrong(document, place, f"{key[1]}, {key[2]} of {key[0]} is there already; remove one")
            found[key] = (tuple(_ways(document, place, entry, key, whole)), entry.reason)
    return found


def _keys(document: Document, place: KeyPath, entry: CellsEntry, cells: Mapping[CellKey, object]) -> Iterator[CellKey]:
    """Yield the cells of an entry: those with one of its rows and one of its columns."""
    of_table = [key for key in cells if key[0] == entry.table]
    for kind, position, wanted in (("rows", 1, entry.rows), ("columns", 2, entry.columns)):
        known = list(dict.fromkeys(key[position] for key in of_table))
        for name in wanted or ():
            if name not in known:
                raise _wrong(document, (*place, kind, name), f"unknown name {name!r}{did_you_mean(name, known)}")
    for key in of_table:
        if (entry.rows is None or key[1] in entry.rows) and (entry.columns is None or key[2] in entry.columns):
            yield key


def _ways(
    document: Document, place: KeyPath, entry: CellsEntry, key: CellKey, configurations: Mapping[str, Configuration]
) -> Iterator[MeasuredBy]:
    if not isinstance(entry.rows, dict):
        return
    metric = entry.columns[key[2]] if isinstance(entry.columns, dict) else entry.metric
    given = entry.rows[key[1]]
    for reference in given if isinstance(given, list) else [given]:
        for name, own in (reference if isinstance(reference, dict) else {reference: metric}).items():
            if name not in configurations:
                guess = did_you_mean(name, configurations)
                raise _wrong(document, (*place, "rows", key[1]), f"unknown configuration {name!r}{guess}")
            yield MeasuredBy(configurations[name], own)


def _cell(row: Mapping[str, str], measured_by: tuple[MeasuredBy, ...], reason: str) -> PublishedCell:
    return PublishedCell(
        row=row["row"],
        column=row["column"],
        unit=row["unit"],
        text=row["text"],
        value=float(row["value"]) if row["value"] else None,
        spread=float(row["spread"]) if row["spread"] else None,
        spread_kind=row["spread_kind"],  # type: ignore[arg-type]
        n=int(row["n"]) if row["n"] else None,
        erratum=row["erratum"],
        measured_by=measured_by,
        reason=reason,
    )


def _wrong(document: Document, path: KeyPath, message: str) -> ConfigInvalid:
    return ConfigInvalid(f"{document.place(path)}: {'.'.join(map(str, path))}: {message.rstrip('.')}.")
