"""Published numbers as data: for each paper a CSV of cells and a YAML file of the configurations that measure them."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from hnet_core.errors import NotFound
from hnet_core.registry import did_you_mean

SpreadKind = Literal["sem", "std", "unknown", "none"]


class TableNotFound(NotFound):
    """Error: no published table has that name."""


@dataclass(frozen=True)
class Configuration:
    """Settings of a trial that measures a published cell; names are dotted fields of a trial.

    Attributes:
        settings: values it must have.
        reduced_below, reduced_above: values it may fall short of, which makes it a reduced run.
    """

    note: str
    settings: Mapping[str, Any]
    reduced_below: Mapping[str, float]
    reduced_above: Mapping[str, float]


@dataclass(frozen=True)
class PublishedCell:
    """One number of a paper.

    Attributes:
        unit: percent, minutes, weights, MiB; "values" for a shape.
        text: as printed.
        value, spread: as numbers in `unit`, None where the paper gives none.
        spread_kind: kind of the number after ±; "unknown" where the paper does not say.
        n: runs, None where the paper does not say.
        erratum: the error in the print, empty where there is none.
        configuration, metric: of the trials that measure it, None where there are none.
    """

    row: str
    column: str
    unit: str
    text: str
    value: float | None
    spread: float | None
    spread_kind: SpreadKind
    n: int | None
    erratum: str
    configuration: Configuration | None
    metric: str | None


@dataclass(frozen=True)
class PublishedTable:
    """A table of a paper; `name` is what `hnet report paper` takes, such as vonoswald2020:table1."""

    name: str
    caption: str
    cite: str
    url: str
    cells: tuple[PublishedCell, ...]


def published_tables() -> Iterator[PublishedTable]:
    """Iterate over all tables, by paper and number."""
    for document in _documents():
        yield from _tables(document)


def published_table(name: str) -> PublishedTable:
    """Return the table of that name.

    Raises:
        TableNotFound: if there is none; the message names the nearest.
    """
    known = {table.name: table for table in published_tables()}
    if name not in known:
        raise TableNotFound(f"no published table {name!r}{did_you_mean(name, known)}. See: hnet list tables")
    return known[name]


@cache
def _tables(document: str) -> tuple[PublishedTable, ...]:
    import yaml

    meaning = yaml.safe_load(_read(f"{document}.yaml"))
    rows = list(csv.DictReader(_read(f"{document}.csv").splitlines()))
    configurations = {name: Configuration(**_complete(block)) for name, block in meaning["configurations"].items()}
    mapped = {(entry["table"], entry["row"], entry["column"]): entry for entry in meaning["cells"]}
    return tuple(
        PublishedTable(
            name=f"{document}:{table}",
            caption=caption,
            cite=meaning["cite"],
            url=meaning["url"],
            cells=tuple(
                _cell(row, mapped.get((table, row["row"], row["column"])), configurations)
                for row in rows
                if row["table"] == table
            ),
        )
        for table, caption in meaning["tables"].items()
    )


def _cell(
    row: Mapping[str, str], entry: Mapping[str, str] | None, configurations: Mapping[str, Configuration]
) -> PublishedCell:
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
        configuration=configurations[entry["configuration"]] if entry else None,
        metric=entry["metric"] if entry else None,
    )


def _complete(block: Mapping[str, Any]) -> dict[str, Any]:
    return {"note": "", "reduced_below": {}, "reduced_above": {}, **block}


def _documents() -> list[str]:
    found = (file.name for file in (files("reports") / "published").iterdir())
    return sorted(name.removesuffix(".csv") for name in found if name.endswith(".csv"))


def _read(name: str) -> str:
    return (files("reports") / "published" / name).read_text(encoding="utf-8")
