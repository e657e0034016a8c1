"""Sweeps that can be started by name alone: presets, published tables, and the specs of one folder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from hnet_core.errors import ConfigInvalid, HnetError, NotFound
from hnet_core.registry import did_you_mean
from reports.data.published_cells import PublishedTable
from reports.data.published_tables import published_table, published_tables
from studies.spec.document import read_document
from studies.spec.loading import read_spec
from studies.spec.spec import SweepSpec
from studies.spec.variants import variant_names
from sweeps.presets import open_document, preset_names, preset_summary, preset_variants

if TYPE_CHECKING:
    from studies.queries.studies import Studies

Kind = Literal["preset", "file", "table"]
SUFFIXES = (".yaml", ".yml")


@dataclass(frozen=True)
class Source:
    """A preset, a spec file or a published table.

    Attributes:
        name: of the preset or file, NAME:VARIANT for a variant of it, or of the table.
        argument: what `hnet sweep run`, or `hnet benchmark run` of a table, takes for it.
        rows, columns: names of those of a table.
    """

    kind: Kind
    name: str
    argument: str
    summary: str = ""
    rows: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()

    def spec(self) -> SweepSpec:
        """Read the spec without the checks that need data.

        Raises:
            ConfigInvalid: one line per thing that is wrong, with file, line and key.
        """
        try:
            return read_spec(open_document(self.argument))
        except ConfigInvalid as error:
            raise ConfigInvalid(self.without_folder(str(error))) from None

    def without_folder(self, text: str) -> str:
        """Return an error with the name of a spec file in place of its path."""
        return text.replace(f"{Path(self.argument).parent}/", "") if self.kind == "file" else text


def list_sources(folder: Path | None, studies: Studies) -> Iterator[Source]:
    """Yield everything that can be started, a variant after its preset or file: files, presets, tables."""
    for name, path in spec_files(folder).items():
        yield Source("file", name, str(path))
        for variant in _variants_of(path):
            yield Source("file", f"{name}:{variant}", f"{path}:{variant}")
    yield from _presets()
    for table in published_tables(studies):
        yield _of_table(table)


def find_source(kind: str, name: str, folder: Path | None, studies: Studies) -> Source:
    """Return a source by its name, which is looked up among those that are listed and never used as a path.

    Raises:
        NotFound: there is none of that kind and name.
    """
    if kind not in get_args(Kind):
        raise NotFound(f"a source must be one of {', '.join(get_args(Kind))}, got {kind[:40]!r}.")
    if kind == "table":
        return _of_table(published_table(name, studies))
    is_file = kind == "file"
    known = (
        {each: str(path) for each, path in spec_files(folder).items()}
        if is_file
        else {each: each for each in preset_names()}
    )
    # The name of a file or of a variant may have colons itself: the longest beginning that is known counts.
    base = max((each for each in known if name == each or name.startswith(f"{each}:")), key=len, default=None)
    if base is None:
        guess = did_you_mean(name[:80], list(known), all_in="" if is_file else "hnet list presets")
        raise NotFound(f"there is no {kind} {name[:80]!r}{guess}.")
    source = Source("file" if is_file else "preset", base, known[base], "" if is_file else preset_summary(base))
    if name == base:
        return source
    variant, variants = (
        name[len(base) + 1 :],
        variant_names(read_document(Path(known[base]))) if is_file else preset_variants(base),
    )
    if variant not in variants:
        raise NotFound(f"{kind} {base} has no variant {variant[:80]!r}{did_you_mean(variant[:80], variants)}.")
    return replace(source, name=name, argument=f"{source.argument}:{variant}")


def _of_table(table: PublishedTable) -> Source:
    return Source("table", table.name, table.name, table.caption, table.rows, table.columns)


def spec_files(folder: Path | None) -> dict[str, Path]:
    """Return the YAML files directly in a folder by name; hidden ones and links to elsewhere are left out."""
    if folder is None:
        return {}
    root = folder.resolve()
    found = sorted(path for path in root.iterdir() if path.suffix in SUFFIXES and not path.name.startswith("."))
    return {path.name: path for path in found if path.is_file() and path.resolve().parent == root}


@cache
def _presets() -> tuple[Source, ...]:
    """Return the presets, each before its variants; they come with this package and do not change."""
    variants = {name: [name, *(f"{name}:{variant}" for variant in preset_variants(name))] for name in preset_names()}
    return tuple(Source("preset", each, each, preset_summary(name)) for name, all in variants.items() for each in all)


def _variants_of(path: Path) -> list[str]:
    """Return the variants of a file; none of one that cannot be read, which says so when it is opened."""
    try:
        return variant_names(read_document(path))
    except HnetError:
        return []
