"""Published tables by name: those of this project, and those added to a database.

A paper is a pair of files: NAME.csv holds its cells, NAME.yaml the configurations that measure them (see
`reports.data.published_document`). Those of this project are in reports/published.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from hnet_core.errors import NotFound
from hnet_core.registry import did_you_mean
from reports.data.published_cells import PublishedTable
from reports.data.published_document import read_tables

if TYPE_CHECKING:
    from studies.queries.studies import Studies


class TableNotFound(NotFound):
    """Error: no published table has that name."""


def published_tables(studies: Studies | None = None) -> Iterator[PublishedTable]:
    """Iterate over all tables, by paper and number: those of this project, then those added to a database."""
    for document in packaged_documents():
        yield from _packaged(document)
    for added in () if studies is None else studies.benchmark_documents():
        yield from _added(added["name"], added["content"], added["cells"])


def published_table(name: str, studies: Studies | None = None) -> PublishedTable:
    """Return the table of that name, of this project or of a database.

    Raises:
        TableNotFound: if there is none; the message names the nearest.
    """
    known = {table.name: table for table in published_tables(studies)}
    if name not in known:
        raise TableNotFound(f"no published table {name!r}{did_you_mean(name, known)}. See: hnet benchmark ls")
    return known[name]


def packaged_documents() -> list[str]:
    """Return the names of the papers in reports/published, in alphabetical order."""
    found = (file.name for file in (files("reports") / "published").iterdir())
    return sorted(name.removesuffix(".csv") for name in found if name.endswith(".csv"))


@cache
def _packaged(name: str) -> tuple[PublishedTable, ...]:
    return _added(name, _read(f"{name}.yaml"), _read(f"{name}.csv"))


@cache
def _added(name: str, content: str, cells: str) -> tuple[PublishedTable, ...]:
    return read_tables(name, content, cells)


def _read(name: str) -> str:
    return (files("reports") / "published" / name).read_text(encoding="utf-8")
