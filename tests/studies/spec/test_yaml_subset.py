"""YAML of a spec: values as they are written, never another number, and nothing that takes long to read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from hnet_core.errors import ConfigInvalid
from studies.spec.document import Document, parse_document, read_document
from studies.spec.overrides import apply_overrides
from studies.spec.yaml_subset import load_yaml, write_yaml

AS_TEXT = [
    "1:30",
    "190:20:30",
    "010",
    "-017",
    "1_000",
    "yes",
    "No",
    "on",
    "OFF",
    "y",
    "0b11",
    "2020-01-01",
    "2020-13-45",
]
AS_VALUE = {
    "0": 0, "-12": -12, "0o17": 15, "0x1F": 31, "1e-3": 0.001, "1E3": 1000.0, ".5": 0.5, "5.": 5.0,
    "-.inf": -float("inf"), "true": True, "FALSE": False, "~": None, "": None, "'8'": "8", "!!str 8": "8",
}  # fmt: skip


@pytest.mark.parametrize("text", AS_TEXT)
def test_what_yaml_1_1_takes_for_another_value_stays_text(text: str) -> None:
    assert load_yaml(text)[1] == text


@pytest.mark.parametrize("text", AS_VALUE)
def test_plain_values_are_read_by_the_core_schema(text: str) -> None:
    found = load_yaml(text)[1]
    assert (type(found), found) == (type(AS_VALUE[text]), AS_VALUE[text])


@pytest.mark.parametrize(
    "text",
    [
        "1e999",
        "1e-999",
        "!!int 1:30",
        "!!timestamp 2020-01-01",
        "!!map [1]",
        "!!map x",
        "!!seq {a: 1}",
        "!!str [1]",
        "!!bool yes",
        r'"\UFFFFFFFF"',
        r'"\0"',
    ],
)
def test_what_has_no_exact_value_is_refused(text: str) -> None:
    with pytest.raises(yaml.YAMLError):
        load_yaml(text)


def test_keys_are_text_as_they_are_written() -> None:
    assert load_yaml("{on: 1, 010: 2, null: 3}")[1] == {"on": 1, "010": 2, "null": 3}


TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)
SCALARS = st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats(allow_nan=False) | TEXT
LIKE_NUMBERS = st.from_regex(r"[-+]?[0-9_.:eExob]{1,6}", fullmatch=True)


@settings(deadline=None)  # a busy machine is no fault
@given(st.dictionaries(TEXT | LIKE_NUMBERS, SCALARS | LIKE_NUMBERS | st.lists(SCALARS, max_size=3)))
def test_written_content_is_read_back(content: dict[str, Any]) -> None:
    assert load_yaml(write_yaml(content))[1] == content


def _doubling(depth: int) -> str:
    """Lists of aliases of lists: 10 ** depth values behind a few lines."""
    rows = [f"x{i}: &x{i} [{', '.join([f'*x{i - 1}'] * 10)}]" for i in range(1, depth)]
    return "\n".join(["x0: &x0 [1]", *rows, ""])


TOO_MUCH = {
    "nested lists": ("a:\n b: " + "[" * 5000, 2),
    "nested mappings": ("a: " + "{a: " * 5000, 1),
    "nested blocks": ("- " * 5000, 1),
    "a chain of aliases": ("a0: &a0 [1]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}]\n" for i in range(1, 99)), 32),
    "doubling aliases": (_doubling(30), 5),
    "doubling merges": (_doubling(30).replace("[1]", "{k: 1}").replace("[", "{<<: [").replace("]", "]}"), 5),
    "many values": ("a:\n" + "- 1\n" * 30_000, 19_999),
    "a long line": ("a: 1\nb: " + "x" * 10_000_000, 2),
    "itself": ("a: 1\nb: &b\n  c: *b\n", 3),
}


@pytest.mark.parametrize("name", TOO_MUCH)
def test_what_would_take_long_or_never_end_is_refused_at_once_with_its_line(name: str, tmp_path: Path) -> None:
    text, line = TOO_MUCH[name]
    (tmp_path / "spec.yaml").write_text(text)
    with pytest.raises(ConfigInvalid, match=rf"^s\.yaml:{line}: [^\n]{{,300}}$"):
        read_document(tmp_path / "spec.yaml", "s.yaml")


def test_a_file_without_end_is_refused() -> None:
    with pytest.raises(ConfigInvalid, match="must have at most"):
        read_document(Path("/dev/zero"))


@pytest.mark.parametrize("value", ["[" * 500, "{" * 500, "[1, " * 40, "{a: 1, a: 2}", "{[1]: 2}", "&a [*a]"])
def test_a_set_has_the_same_limits(value: str) -> None:
    with pytest.raises(ConfigInvalid, match=r"^--set method: [^\n]{,300}$"):
        apply_overrides(Document("q.yaml", {}), [f"method={value}"], ["method"])


def test_a_line_of_a_character_that_yaml_has_no_place_for_is_named() -> None:
    with pytest.raises(ConfigInvalid, match=r"^q\.yaml:2: not valid YAML: character U\+0007"):
        parse_document("a: 1\nb: \x07\n", "q.yaml")
