"""YAML as a spec is written: plain values by the core schema of YAML 1.2, of a bounded depth and size.

PyYAML follows YAML 1.1, in which 1:30 is 90, 010 is 8, 1_000 is 1000, and yes and on are true. Here all of these are
text, which a check refuses where a number or true belongs. A number with a leading zero is text too: it is 8 to some
readers and 10 to others.

    null      null, Null, NULL, ~ and nothing
    boolean   true and false, True and False, TRUE and FALSE
    integer   0, 12, -12, 0o17 (octal), 0x1f (hexadecimal)
    number    0.5, .5, 5., 1e-3, .inf, .nan
    text      all else, and everything in quotes
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

import yaml

from hnet_core.configuration.shown_value import cut

MAX_DEPTH = 32
MAX_NODES = 20_000  # keys and values, those behind an alias counted wherever it stands

_TAG = "tag:yaml.org,2002:"
_WHOLE = r"(0|[1-9][0-9]{0,299})"
_PLAIN = {  # tag -> pattern of the text, its first characters
    "null": (r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    "bool": (r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    "int": (rf"[-+]?{_WHOLE}|0o[0-7]{{1,99}}|0x[0-9a-fA-F]{{1,99}}", list("-+0123456789")),
    "float": (
        rf"[-+]?({_WHOLE}?\.[0-9]+|{_WHOLE}\.)([eE][-+]?[0-9]+)?|[-+]?{_WHOLE}[eE][-+]?[0-9]+"
        r"|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        list("-+.0123456789"),
    ),
    "merge": (r"<<", ["<"]),
}


class NotAccepted(yaml.MarkedYAMLError):
    """YAML that may be valid and is not accepted here."""

    def __init__(self, problem: str, mark: yaml.Mark) -> None:
        super().__init__(problem=problem, problem_mark=mark)


def load_yaml(text: str) -> tuple[yaml.Node | None, Any]:
    """The node of a YAML document, with its line numbers, and its content; keys are text as they are written.

    Raises:
        yaml.YAMLError: it is not YAML, or not accepted here.
    """
    loader = SpecLoader(text)
    try:
        root = loader.get_single_node()
        return root, None if root is None else loader.construct_document(root)
    except (ValueError, OverflowError):  # an escape such as "\UFFFFFFFF", or a %YAML of thousands of digits
        raise NotAccepted("an escape or a directive here stands for nothing", loader.get_mark()) from None
    finally:
        loader.dispose()


def read_number(text: str) -> float | None:
    """The number that a spec reads such text as, None for none: 1_000 and 010 are none."""
    try:
        found = load_yaml(text)[1]
    except yaml.YAMLError:
        return None
    return float(found) if isinstance(found, (int, float)) and not isinstance(found, bool) else None


def write_yaml(content: Mapping[str, Any]) -> str:
    """YAML that `load_yaml` reads back to the same content."""
    return yaml.dump(dict(content), Dumper=_SpecDumper, sort_keys=False, allow_unicode=True, width=100)


def yaml_problem(error: yaml.MarkedYAMLError | yaml.reader.ReaderError) -> str:
    """An error of `load_yaml` in words, without its place."""
    if isinstance(error, yaml.reader.ReaderError):
        return f"not valid YAML: character U+{int(error.character):04X} must be written as an escape."
    problem = cut(str(error.problem), 200)
    return f"{problem}." if isinstance(error, NotAccepted) else f"not valid YAML: {problem}."


def kind_of(node: yaml.Node | None) -> str:
    return "an empty file" if node is None else f"a {type(node).__name__.removesuffix('Node').lower()}"


class SpecLoader(yaml.SafeLoader):
    """PyYAML's safe loader with the values of the core schema and limits on depth and size."""

    yaml_implicit_resolvers = {}  # noqa: RUF012
    yaml_constructors = {}  # noqa: RUF012

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self._depth = 0
        self._n_composed = 0
        self._extents: dict[yaml.Node, tuple[int, int]] = {}  # nodes in it and how deep it is, aliases expanded

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        is_alias = self.check_event(yaml.AliasEvent)
        mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
        self._depth += 1
        self._n_composed += 1
        _check_extent(self._n_composed, self._depth, mark)
        node = super().compose_node(parent, index)
        self._depth -= 1
        if node is None:
            return None
        if is_alias and node not in self._extents:  # of a block that is still being read
            raise NotAccepted("a block that contains itself cannot be written out", mark)
        if not is_alias:
            self._extents[node] = self._extent(node)
        n_nodes, depth = self._extents[node]
        _check_extent(n_nodes, self._depth + depth, mark)
        return node

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        first: dict[str, int] = {}
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise NotAccepted(f"a key must be a word, got {kind_of(key)}", key.start_mark)
            if key.value in first:
                problem = f"{key.value}: given twice, first on line {first[key.value]}; remove one"
                raise NotAccepted(problem, key.start_mark)
            first[key.value] = key.start_mark.line + 1
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        if not isinstance(node, yaml.MappingNode):
            raise NotAccepted(f"!!map must be a mapping, got {kind_of(node)}", node.start_mark)
        self.flatten_mapping(node)
        return {key.value: self.construct_object(value, deep=deep) for key, value in node.value}

    def construct_plain(self, node: yaml.ScalarNode) -> Any:
        """A value of one of the kinds that are told by their text."""
        text, kind = self.construct_scalar(node), node.tag.removeprefix(_TAG)
        if not re.fullmatch(_PLAIN[kind][0], text):
            raise NotAccepted(f"{cut(text)} is no {kind}", node.start_mark)
        if kind == "int":
            return int(text, 0)
        if kind == "float":
            return _number(text, node.start_mark)
        return None if kind == "null" else text.lower() == "true"

    def construct_text(self, node: yaml.ScalarNode) -> str:
        text: str = self.construct_scalar(node)
        if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
            raise NotAccepted("text must be without NUL and halves of surrogate pairs", node.start_mark)
        return text

    def _extent(self, node: yaml.Node) -> tuple[int, int]:
        if isinstance(node, yaml.ScalarNode):
            return 1, 0
        pairs = isinstance(node, yaml.MappingNode)
        children = [part for pair in node.value for part in pair] if pairs else node.value
        extents = [self._extents[child] for child in children]
        return 1 + sum(n_nodes for n_nodes, _ in extents), 1 + max((depth for _, depth in extents), default=0)


class _SpecDumper(yaml.SafeDumper):
    """Quotes text that `SpecLoader` would read as something else."""

    yaml_implicit_resolvers = SpecLoader.yaml_implicit_resolvers

    def represent_text(self, text: str) -> yaml.ScalarNode:
        breaks = any(character in text for character in "\r\x85\u2028\u2029")  # PyYAML folds these in other styles
        return self.represent_scalar(f"{_TAG}str", text, style='"' if breaks else None)


for _name, (_pattern, _first) in _PLAIN.items():
    SpecLoader.add_implicit_resolver(f"{_TAG}{_name}", re.compile(f"(?:{_pattern})$"), _first)
for _name in ("null", "bool", "int", "float"):
    SpecLoader.add_constructor(f"{_TAG}{_name}", SpecLoader.construct_plain)
SpecLoader.add_constructor(f"{_TAG}str", SpecLoader.construct_text)
SpecLoader.yaml_constructors |= {
    f"{_TAG}seq": SpecLoader.construct_yaml_seq,
    f"{_TAG}map": SpecLoader.construct_yaml_map,
    None: SpecLoader.construct_undefined,  # of any other tag
}
_SpecDumper.add_representer(str, _SpecDumper.represent_text)


def _number(text: str, mark: yaml.Mark) -> float:
    value = float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
    if math.isinf(value) and "inf" not in text.lower():
        raise NotAccepted(f"{text} is too large for a number", mark)
    if value == 0 and re.search(r"[1-9]", re.split(r"[eE]", text)[0]):
        raise NotAccepted(f"{text} is too close to 0 for a number", mark)
    return value


def _check_extent(n_nodes: int, depth: int, mark: yaml.Mark) -> None:
    if depth > MAX_DEPTH:
        raise NotAccepted(f"values must be nested at most {MAX_DEPTH} deep, got more", mark)
    if n_nodes > MAX_NODES:
        raise NotAccepted(f"there must be at most {MAX_NODES:,} keys and values, aliases written out, got more", mark)
