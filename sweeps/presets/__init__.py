"""Packaged sweep specs, by name."""

from __future__ import annotations

import re
from itertools import takewhile
from pathlib import Path

from hnet_core.errors import NotFound
from hnet_core.registry import did_you_mean
from studies.spec.document import Document, read_document
from studies.spec.variants import take_variant, variant_names
from studies.spec.yaml_subset import write_yaml

FOLDER = Path(__file__).parent


def preset_names() -> list[str]:
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def preset_variants(name: str) -> list[str]:
    """Names of the variants of a preset, each opened as NAME:VARIANT."""
    return variant_names(_read(name))


def preset_summary(name: str) -> str:
    """The first sentence of the comment at the head of a preset."""
    lines = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8").splitlines()
    comment = " ".join(line.lstrip("# ") for line in takewhile(lambda line: line.startswith("#"), lines))
    return re.split(rf"{_ABBREVIATIONS}(?<=[\w)]\.)\s(?=[A-Z]|von )", comment)[0].removesuffix(".")


_ABBREVIATIONS = "".join(rf"(?<!\b{word}\.)" for word in ("Fig", "App", "al", "sec"))  # a sentence does not end there


def preset_text(name: str) -> str:
    """The YAML of a preset as it is packaged, with comments; of `NAME:VARIANT` that of the spec it stands for.

    Raises:
        NotFound: there is no such preset or variant.
    """
    preset, colon, variant = name.partition(":")
    if preset not in preset_names():
        raise NotFound(f"unknown preset {preset!r}{_meant(preset)}.")
    document = open_document(name)
    if not colon:
        return document.text
    head = f"# The variant {variant} of preset {preset}: {preset_summary(preset)}.\n"
    return head + write_yaml(document.content)


def starter_text(study: str) -> str:
    """A commented spec to start from, under a name of its own."""
    text = (FOLDER.parent / "starter.yaml").read_text(encoding="utf-8")
    return text.replace("study: STUDY", write_yaml({"study": study}).rstrip("\n"), 1)


def open_document(name_or_path: str) -> Document:
    """Open a preset by name, or a YAML file by path; `quickstart:smoke` is its variant smoke.

    Paths and names of variants may have colons themselves: the longest beginning that is a file or a preset counts.

    Raises:
        NotFound: it is neither, or has no such variant.
        ConfigInvalid: the file is not a YAML mapping.
    """
    parts = name_or_path.split(":")
    for n_parts in range(len(parts), 0, -1):
        name = ":".join(parts[:n_parts])
        if name in preset_names() or Path(name).is_file():
            document = _read(name)
            take_variant(document, ":".join(parts[n_parts:]) if n_parts < len(parts) else None)
            return document
    if Path(name_or_path).exists():
        return _read(name_or_path)
    from reports.data.published_tables import packaged_documents  # a sixth of a second that a preset does not need

    if parts[0] in packaged_documents():
        raise NotFound(f"{name_or_path!r} is no preset; published tables are trained by: hnet benchmark run TABLE.")
    return _read(parts[0])


def _meant(name: str) -> str:
    return did_you_mean(name, preset_names(), all_in="hnet list presets")


def _read(name_or_path: str) -> Document:
    if name_or_path in preset_names():
        return read_document(FOLDER / f"{name_or_path}.yaml", source=f"{name_or_path}.yaml")
    path = Path(name_or_path)
    if not path.exists():
        raise NotFound(f"{name_or_path!r} is neither a file nor a preset{_meant(name_or_path)}.")
    return read_document(path)
