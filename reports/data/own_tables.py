"""Published tables of one's own, read from a pair of files."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from hnet_core.errors import ConfigInvalid, NotFound
from reports.data.published_cells import PublishedTable
from reports.data.published_document import read_tables
from reports.data.published_tables import packaged_documents
from studies.spec.document import unreadable

SUFFIXES = (".yaml", ".yml")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")


@dataclass(frozen=True)
class OwnTables:
    """The tables of a paper and the text of the files they were read from."""

    name: str
    content: str
    cells: str
    tables: tuple[PublishedTable, ...]


def read_own_tables(file: Path) -> OwnTables:
    """Read and check a YAML file and the CSV file of the same name beside it.

    Raises:
        NotFound: one of them is not there.
        ConfigInvalid: the name is taken by this project or cannot be one, or a file is wrong; with file and line.
    """
    if file.suffix not in SUFFIXES:
        raise ConfigInvalid(f"a paper must be a YAML file with a CSV file beside it, got {file}; name the .yaml file.")
    name = file.stem
    if name in packaged_documents():
        raise ConfigInvalid(f"{name!r} names tables that come with hnet; give the file another name.")
    if not NAME.fullmatch(name):
        raise ConfigInvalid(
            f"the name of the file names its tables and must be letters, digits, _ . or -, got {name!r}."
        )
    content, cells = _text(file), _text(file.with_suffix(".csv"))
    return OwnTables(name, content, cells, read_tables(name, content, cells, file.name))


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise NotFound(
            f"{file}: no such file; the numbers of a paper are in a CSV file beside its YAML file."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise unreadable(str(file), error) from None
