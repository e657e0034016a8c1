"""Files are exact, replaced whole, and their absence is explained."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.pages.output_files import ReportNotWritten, csv_text, json_text, write_all


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


VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False),
    st.text("ab=\t,\"'\n\r -+@é", max_size=6), st.lists(st.integers(), max_size=2),
    st.sampled_from([0.0, -0.0, 1, 1.0, True, "1", "", 1e-4, 9.9e-5, 1e16, 1e15]),
)  # fmt: skip
COLUMNS = st.one_of(
    st.lists(VALUES, min_size=4, max_size=4),
    st.lists(st.floats() | st.none(), min_size=4, max_size=4),
    st.lists(st.integers() | st.none(), min_size=4, max_size=4),
    st.lists(st.text('ab,"\n='), min_size=4, max_size=4),
)


@given(st.lists(COLUMNS, max_size=4))
def test_a_csv_written_by_column_is_that_of_a_writer_going_cell_by_cell(columns: list[list[object]]) -> None:
    table = {f"column {i}": values for i, values in enumerate(columns)}
    assert csv_text(table) == cell_by_cell(table)
    rows = [dict(zip(table, row, strict=True)) for row in zip(*columns, strict=True)]
    assert csv_text(rows) == cell_by_cell(table)


def cell_by_cell(table: Mapping[str, Sequence[object]]) -> str:
    def exact_json(value: object) -> object:
        if isinstance(value, str):
            return f"'{value}" if value.startswith(("=", "+", "-", "@", "\t", "\r")) else value
        return value if value is None or type(value) in (int, float) else json.dumps(value)

    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(table)
    writer.writerows([exact_json(value) for value in row] for row in zip(*table.values(), strict=True))
    return buffer.getvalue()


def test_a_row_without_a_value_is_still_a_row() -> None:
    assert csv_text({"a": [1.5, None]}) == 'a\n1.5\n""\n'
    assert csv_text({"a": [None], "b": [None]}) == "a,b\n,\n"
    assert csv_text([]) == "\n"


def test_json_has_null_in_place_of_what_is_not_json() -> None:
    content = {"value": float("nan"), "pair": (float("inf"), 2), "deep": [{"low": -float("inf")}]}
    assert json.loads(json_text(content)) == {"value": None, "pair": [None, 2], "deep": [{"low": None}]}


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
