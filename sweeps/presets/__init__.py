"""Packaged sweep specs, by name."""

from __future__ import annotations

from pathlib import Path

from hnet_core.errors import NotFound
from hnet_core.registry import did_you_mean
from studies.spec.document import Document, read_document
from studies.spec.variants import take_variant, variant_names

FOLDER = Path(__file__).parent


def preset_names() -> list[str]:
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def preset_variants(name: str) -> list[str]:
    """Names of the variants of a preset, each opened as NAME:VARIANT."""
    return variant_names(_read(name))


def preset_summary(name: str) -> str:
    """First comment line of a preset."""
    first = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8").splitlines()[0]
    return first.removeprefix("# ")


def open_document(name_or_path: str) -> Document:
    """Open a preset by name, or a YAML file by path; `quickstart:smoke` is its variant smoke.

    Raises:
        NotFound: it is neither, or has no such variant.
        ConfigInvalid: the file is not a YAML mapping.
    """
    name, colon, variant = name_or_path.rpartition(":")
    if not colon or Path(name_or_path).exists():
        name, variant = name_or_path, ""
    document = _read(name)
    take_variant(document, variant or None)
    return document


def _read(name_or_path: str) -> Document:
    if name_or_path in preset_names():
        return read_document(FOLDER / f"{name_or_path}.yaml", source=f"{name_or_path}.yaml")
    path = Path(name_or_path)
    if not path.exists():
        raise NotFound(
            f"{name_or_path!r} is neither a file nor a preset{did_you_mean(name_or_path, preset_names())}. "
            "Presets: hnet list presets"
        )
    return read_document(path)
