"""YAML documents with the line of every key."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from hnet_core.component_check import Path as KeyPath
from hnet_core.configuration.shown_value import cut
from hnet_core.errors import ConfigInvalid, NotFound
from studies.spec.yaml_subset import kind_of, load_yaml, yaml_problem

# A long spec has some 5,000 bytes. PyYAML reads about 100,000 a second.
MAX_BYTES = 1_000_000
MAX_LINE = 100_000


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
                return f"--set {cut(self.overrides[path[:depth]])}"
        line = self.line(path)
        return self.source if line is None else f"{self.source}:{line}"


def read_document(path: Path, source: str | None = None) -> Document:
    """Read a YAML mapping.

    Raises:
        NotFound: there is no such file.
        ConfigInvalid: it cannot be read, is too large, is not YAML, is not a mapping, or has a key twice.
    """
    source = source or str(path)
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
        text = raw[:MAX_BYTES].decode("utf-8", "strict" if len(raw) <= MAX_BYTES else "ignore")
    except FileNotFoundError:
        raise NotFound(f"{source}: no such file.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise unreadable(source, error) from None
    _refuse_long_lines(text, source)
    if len(raw) > MAX_BYTES:
        lines = text.count("\n") + 1
        raise ConfigInvalid(f"{source}:{lines}: a file must have at most {MAX_BYTES:,} bytes, got more; shorten it.")
    return parse_document(text, source)


def unreadable(source: str, error: OSError | UnicodeDecodeError) -> ConfigInvalid:
    """Make the error of a file that is not text, or cannot be read at all."""
    if isinstance(error, UnicodeDecodeError):
        line = error.object.count(b"\n", 0, error.start) + 1
        byte = error.object[error.start]
        return ConfigInvalid(f"{source}:{line}: must be text in UTF-8, got the byte 0x{byte:02X}; save it as UTF-8.")
    return ConfigInvalid(f"{source}: must be a text file that can be read, got: {error.strerror}.")


def parse_document(text: str, source: str) -> Document:
    """Read a YAML mapping from a string; `source` names it in errors.

    Raises:
        ConfigInvalid: it is too large, is not YAML, is not a mapping, or has a key twice.
    """
    _refuse_long_lines(text, source)
    document = Document(source, {}, {}, text)
    try:
        root, document.content = load_yaml(text)
    except yaml.MarkedYAMLError as error:
        line = "" if error.problem_mark is None else f":{error.problem_mark.line + 1}"
        raise ConfigInvalid(f"{source}{line}: {yaml_problem(error)}") from None
    except yaml.reader.ReaderError as error:
        number = text.count("\n", 0, error.position) + 1
        raise ConfigInvalid(f"{source}:{number}: {yaml_problem(error)}") from None
    if not isinstance(root, yaml.MappingNode):
        raise ConfigInvalid(f"{source}: must be a mapping of keys to values, got {kind_of(root)}.")
    _note_lines(root, (), document)
    return document


def _refuse_long_lines(text: str, source: str) -> None:
    for number, line in enumerate(text.splitlines(), start=1):
        if len(line) > MAX_LINE:
            raise ConfigInvalid(f"{source}:{number}: a line must have at most {MAX_LINE:,} characters, got more.")


def _note_lines(node: yaml.Node, path: KeyPath, document: Document) -> None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            here = (*path, key.value)
            document.lines.setdefault(here, key.start_mark.line + 1)
            _note_lines(value, here, document)
    elif isinstance(node, yaml.SequenceNode):
        for position, value in enumerate(node.value):
            document.lines[(*path, position)] = value.start_mark.line + 1
            _note_lines(value, (*path, position), document)
