"""Published tables of one's own, read from a pair of files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hnet_core.component_check import Path as KeyPath
from hnet_core.config_validation import check_trial
from hnet_core.errors import ConfigInvalid, NotFound
from hnet_core.registry import did_you_mean
from reports.data.published_cells import BY_TASK, PublishedTable, Scale
from reports.data.published_document import read_tables
from reports.data.published_tables import packaged_documents
from studies.metrics.definitions import METRICS
from studies.spec.document import Document, parse_document, unreadable

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
        ConfigInvalid: the name is taken by this project or cannot be one, or a file is wrong; one line for each thing
            that is wrong, with file and line. A component that is not known may be installed elsewhere and is right.
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
    tables = read_tables(name, content, cells, file.name)
    document = parse_document(content, file.name)
    wrong = list(dict.fromkeys((*_wrong_trials(document, tables), *_wrong_metrics(document))))
    if wrong:
        raise ConfigInvalid("\n".join(wrong))
    return OwnTables(name, content, cells, tables)


def _wrong_trials(document: Document, tables: Sequence[PublishedTable]) -> Iterator[str]:
    """Yield what is wrong in the trials that measure cells; one of an unknown component may be right elsewhere."""
    ways = [way for table in tables for cell in table.cells for way in cell.measured_by]
    for configuration in {way.configuration.name: way.configuration for way in ways}.values():
        for scale, block in configuration.blocks.items():
            _, complaints = check_trial(block)
            if any(one.path[-1:] == ("name",) for one in complaints):
                break
            for one in complaints:
                place = document.place(_written_at(document, configuration.name, scale, one.path))
                yield f"{place}: configurations.{configuration.name}: {one}."


def _written_at(document: Document, configuration: str, scale: Scale, path: KeyPath) -> KeyPath:
    """Return where a value of a configuration is written: there, or in what it takes over."""
    entries = document.content["configurations"]
    places, open_names = [], [configuration]
    while open_names:
        name = open_names.pop(0)
        places += [("configurations", name, block, *path) for block in dict.fromkeys((scale, "trial"))]
        like = entries[name].get("like", [])
        open_names += [like] if isinstance(like, str) else like

    def depth(place: KeyPath) -> int:
        return next(n for n in range(len(place), 0, -1) if place[:n] in document.lines)

    return max(places, key=depth)


def _wrong_metrics(document: Document) -> Iterator[str]:
    known = [*(name for name in METRICS if name not in BY_TASK), *BY_TASK, *(f"{name}[TASK]" for name in BY_TASK)]
    for path, metric in _metrics(document.content):
        name, bracket, rest = metric.partition("[")
        of_task = name in BY_TASK and rest.endswith("]") and rest[:-1].isdecimal()
        if name not in METRICS or (bracket and not of_task):
            guess = did_you_mean(metric, known, all_in="docs/schema.md")
            yield f"{document.place(path)}: {'.'.join(map(str, path))}: unknown metric {metric!r}{guess}."


def _metrics(content: Mapping[str, Any]) -> Iterator[tuple[KeyPath, str]]:
    """Yield the metrics that cells name, with the keys that lead there."""
    for position, entry in enumerate(content.get("cells", ())):
        place = ("cells", position)
        if "metric" in entry:
            yield (*place, "metric"), entry["metric"]
        for kind in ("columns", "rows"):
            given = entry.get(kind)
            for name, value in given.items() if isinstance(given, Mapping) else ():
                for one in value if isinstance(value, list) else [value]:
                    if kind == "columns":
                        yield (*place, kind, name), one
                    elif isinstance(one, Mapping):
                        yield from (((*place, kind, name), metric) for metric in one.values())


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise NotFound(
            f"{file}: no such file; the numbers of a paper are in a CSV file beside its YAML file."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise unreadable(str(file), error) from None
