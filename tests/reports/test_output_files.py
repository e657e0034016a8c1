"""Files are exact, replaced whole, and their absence is explained."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.output_files import ReportNotWritten, csv_text, json_text, write_all


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_numbers_survive_a_csv_exactly(values: list[float]) -> None:
    rows = list(csv.DictReader(io.StringIO(csv_text([{"v": value} for value in values]))))
    assert [float(row["v"]) for row in rows] == values


@given(st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\r\x00"), min_size=1))
def test_text_survives_a_csv_exactly_unless_a_spreadsheet_would_run_it(text: str) -> None:
    found = next(csv.DictReader(io.StringIO(csv_text([{"v": text}]), newline="")))["v"]
    assert found == (f"'{text}" if text[0] in "=+-@\t" else text)


def test_formulas_are_disarmed_and_negative_numbers_are_not() -> None:
    assert csv_text([{"=a": "=cmd|' /C calc'!A0", "b": -1.5}]) == "'=a,b\n'=cmd|' /C calc'!A0,-1.5\n"


def test_missing_values_are_empty_and_lists_are_json() -> None:
    assert csv_text([{"a": None, "b": [1, 2], "c": True}]) == 'a,b,c\n,"[1, 2]",true\n'


def test_json_refuses_what_is_not_json() -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        json_text({"a": float("nan")})
    assert json.loads(json_text({"b": 1, "a": None})) == {"a": None, "b": 1}


def test_files_are_replaced_and_nothing_else_is_left(tmp_path: Path) -> None:
    write_all(tmp_path / "new" / "folder", {"a.csv": "old"})
    write_all(tmp_path / "new" / "folder", {"a.csv": "new \ud800"})
    assert [path.name for path in (tmp_path / "new" / "folder").iterdir()] == ["a.csv"]
    assert (tmp_path / "new" / "folder" / "a.csv").read_text() == "new \\ud800"


def test_a_folder_that_cannot_be_made_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ReportNotWritten, match="name another one with -o") as caught:
        write_all(tmp_path / "file" / "below", {"a.csv": ""})
    assert caught.value.exit_code == 2
    with pytest.raises(ReportNotWritten, match="a folder it can write to"):
        write_all(tmp_path / "file", {"a.csv": ""})
