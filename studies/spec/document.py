"""YAML documents with the line of every key."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from hnet_core.component_check import Path as KeyPath
from hnet_core.errors import ConfigInvalid, NotFound


@dataclass
class Document:
    """The content of a YAML file and the line of each of its keys.

    Attributes:
        source: file name, as it is shown in errors.
        content: plain dicts, lists and scalars.
        lines: line (from 1) of the value at each path of keys and list positions.
        text: the file as it was written.
        overrides: what was changed on the command line: path -> the argument of --set.
    """

    source: str
    content: dict[str, Any]
    lines: dict[KeyPath, int] = field(default_factory=dict)
    text: str = ""
    overrides: dict[KeyPath, str] = field(default_factory=dict)

    def line(self, path: KeyPath) -> int | None:
        """Return the line of the deepest key of `path` that the file has."""
        for depth in range(len(path), 0, -1):
            if path[:depth] in self.lines:
                return self.lines[path[:depth]]
        return None

    def place(self, path: KeyPath) -> str:
        """Return file:line: of a key, as editors parse it, or the --set that gave its value."""
        for depth in range(len(path), 0, -1):
            if path[:depth] in self.overrides:
                return f"--set {self.overrides[path[:depth]]}"
        line = self.line(path)
        return self.source if line is None else f"{self.source}:{line}"


class SpecLoader(yaml.SafeLoader):
    """PyYAML's safe loader, with 1e-3 read as the number it is (YAML 1.2) and not as text."""


SpecLoader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"^[-+]?\d+(\.\d*)?[eE][-+]?\d+$"), list("-+0123456789")
)


def read_document(path: Path, source: str | None = None) -> Document:
    """Read a YAML mapping.

    Raises:
        NotFound: there is no such file.
        ConfigInvalid: it cannot be read, is not YAML, is not a mapping, or has a key twice.
    """
    source = source or str(path)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise NotFound(f"{source}: no such file.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigInvalid(f"{source}: cannot be read as text ({error}).") from None
    return parse_document(text, source)


def parse_document(text: str, source: str) -> Document:
    """Read a YAML mapping from a string; `source` names it in errors."""
    loader = None
    try:
        loader = SpecLoader(text)
        root = loader.get_single_node()
        document = Document(source, {}, {}, text)
        if not isinstance(root, yaml.MappingNode):
            raise ConfigInvalid(f"{source}: must be a mapping of keys to values, got {_kind(root)}.")
        _note_lines(root, (), document)
        document.content = loader.construct_document(root)
    except yaml.MarkedYAMLError as error:
        line = "" if error.problem_mark is None else f":{error.problem_mark.line + 1}"
        raise ConfigInvalid(f"{source}{line}: not valid YAML: {error.problem}.") from None
    except yaml.YAMLError as error:
        raise ConfigInvalid(f"{source}: not valid YAML: {error}".replace("\n", " ")) from None
    finally:
        if loader is not None:
            loader.dispose()
    return document


def _note_lines(node: yaml.Node, path: KeyPath, document: Document, above: tuple[yaml.Node, ...] = ()) -> None:
    above = (*above, node)
    if isinstance(node, yaml.MappingNode):
        for key_node, value in node.value:
            line = f"{document.source}:{key_node.start_mark.line + 1}"
            if not isinstance(key_node, yaml.ScalarNode):
                raise ConfigInvalid(f"{line}: a key must be a word, got {_kind(key_node)}.")
            if value in above:
                raise ConfigInvalid(f"{line}: {key_node.value}: contains itself.")
            here = (*path, key_node.value)
            if here in document.lines:
                raise ConfigInvalid(
                    f"{line}: {key_node.value}: given twice, first on line {document.lines[here]}; remove one."
                )
            document.lines[here] = key_node.start_mark.line + 1
            _note_lines(value, here, document, above)
    elif isinstance(node, yaml.SequenceNode):
        for position, value in enumerate(node.value):
            document.lines[(*path, position)] = value.start_mark.line + 1
            if value in above:
                raise ConfigInvalid(f"{document.source}:{value.start_mark.line + 1}: a list contains itself.")
            _note_lines(value, (*path, position), document, above)


def _kind(node: yaml.Node | None) -> str:
    return "an empty file" if node is None else f"a {type(node).__name__.removesuffix('Node').lower()}"
