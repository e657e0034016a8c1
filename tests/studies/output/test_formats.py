"""Tables for people, exact JSON and CSV for programs."""

from __future__ import annotations

import csv
import io
import json
import os
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hnet_core.errors import ConfigInvalid
from studies.output.formats import plain, say, show_value, write, write_object

INTERVAL = {"mean": 0.957, "low": 0.9512345, "high": 0.963, "n": 3}
ROWS = [
    {"number": 0, "final_accuracy": INTERVAL, "note": 'a "b", c', "params": {"x": 1}},
    {"number": 1, "final_accuracy": {"mean": None, "low": None, "high": None, "n": 0}, "note": None, "params": {}},
]
COLUMNS = ["number", "final_accuracy", "note", "params"]


def test_json_is_a_list_of_rows_with_exact_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    write(ROWS, COLUMNS, "json")
    assert json.loads(capsys.readouterr().out) == {"rows": ROWS}
    write(ROWS, ["number"], "jsonl")
    assert capsys.readouterr().out == '{"number": 0}\n{"number": 1}\n'


@pytest.mark.parametrize("format", ["table", "json", "csv"])
def test_a_closed_standard_output_is_named_and_a_file_still_works(
    format: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout", None)  # as Python has it where file 1 is closed
    with pytest.raises(ConfigInvalid, match="standard output must be open"):
        write(ROWS, COLUMNS, format)
    write(ROWS, COLUMNS, format, tmp_path / "rows")
    assert (tmp_path / "rows").stat().st_size > 0


def test_csv_spreads_an_interval_over_four_columns(capsys: pytest.CaptureFixture[str]) -> None:
    write(ROWS, COLUMNS, "csv")
    rows = list(csv.reader(io.StringIO(capsys.readouterr().out)))
    assert rows == [
        ["number", "final_accuracy", "final_accuracy.low", "final_accuracy.high", "final_accuracy.n", "note", "params"],
        ["0", "0.957", "0.9512345", "0.963", "3", 'a "b", c', '{"x": 1}'],
        ["1", "", "", "", "0", "", "{}"],
    ]


def test_table_shows_mean_interval_and_seeds(capsys: pytest.CaptureFixture[str]) -> None:
    write(ROWS, COLUMNS[:3], "table", title="Trials")
    captured = capsys.readouterr()
    lines = captured.out.splitlines()
    assert lines[0] == "Trials"
    assert "0.957" in captured.out
    assert "0.9570 [0.9512, 0.9630] n=3" in captured.out
    assert not captured.err
    assert all(line == line.rstrip() for line in lines)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (INTERVAL, "0.9570 [0.9512, 0.9630] n=3"),
        ({"mean": 97.4, "low": 80.0, "high": 115.0, "n": 3}, "97 [80, 115] n=3"),
        ({"mean": 0.5, "low": None, "high": None, "n": 1}, "0.5 n=1"),
        ({"mean": 0.25, "low": 0.25, "high": 0.25, "n": 3}, "0.25"),
        ({"mean": 0.25, "low": None, "high": None, "n": 0}, "0.25"),
        ({"mean": None, "low": None, "high": None, "n": 0}, "-"),
        (0.123456, "0.1235"),
        (478_410, "478410"),
        (None, "-"),
        (float("nan"), "-"),
        ([10, 10], "[10, 10]"),
        (datetime(2026, 11, 21, 3, 4, 5, tzinfo=UTC), "2026-11-21 03:04:05"),
        ("[red]text[/red]", "[red]text[/red]"),
    ],
)
def test_value_in_a_table(value: Any, shown: str) -> None:
    assert show_value(value) == shown


def test_brackets_in_a_table_are_text_not_markup(capsys: pytest.CaptureFixture[str]) -> None:
    write([{"reason": "shape [3, 4] [bold]", "[b]": 1}], ["reason", "[b]"], "table", title="[red]x[/red]")
    shown = capsys.readouterr().out
    assert "shape [3, 4] [bold]" in shown
    assert "[b]" in shown
    assert "[red]x[/red]" in shown


def test_a_name_between_colons_is_text_not_an_emoji(capsys: pytest.CaptureFixture[str]) -> None:
    write([{"reason": "x:a:y"}], ["reason"], "table", title="x:b:y")
    shown = capsys.readouterr().out
    assert "x:a:y" in shown
    assert "x:b:y" in shown


def test_long_row_stays_one_line_away_from_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    write([{f"column_{i}": "x" * 30 for i in range(12)}], [f"column_{i}" for i in range(12)], "table")
    assert len(capsys.readouterr().out.splitlines()) == 3


@pytest.mark.parametrize("width", [40, 80, 120])
def test_columns_that_do_not_fit_are_left_out_and_named(
    width: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    columns = ["number", "state", *(f"hypernet.parameter_{i}" for i in range(30)), "accuracy", "reason"]
    accuracy = {"mean": 0.957, "low": 0.951, "high": 0.963, "n": 3}
    row = dict.fromkeys(columns, 0.12345) | {"number": 7, "state": "COMPLETE", "accuracy": accuracy}
    rows = [row | {"reason": "a long reason that is broken between its words and never within one of them"}]
    write(rows, columns, "table", importance=["number", "accuracy", *columns[1:]])
    shown = capsys.readouterr()
    assert max(map(len, shown.out.splitlines())) <= width
    header, _, first, *_ = shown.out.splitlines()
    assert set(header.split()) <= {name.rpartition(".")[2] for name in columns}
    assert {"number", "accuracy"} <= set(header.split())
    assert "0.9570 [0.9510, 0.9630] n=3" in first
    assert f"as the table is {width} characters wide: " in shown.err
    assert "see all with --format csv or json" in shown.err


def test_a_long_text_is_broken_between_its_words(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    write(
        [{"number": 7, "reason": "diverged " * 20, "compression_ratio": 0.5}],
        ["number", "reason", "compression_ratio"],
        "table",
    )
    shown = capsys.readouterr()
    assert shown.err == ""
    assert {"number", "reason", "compression_ratio"} == set(shown.out.splitlines()[0].split())
    assert max(map(len, shown.out.splitlines())) <= 60
    assert set(shown.out.split()) - {"7", "0.5"} >= {"diverged"}


def test_headings_are_short_where_that_is_clear(capsys: pytest.CaptureFixture[str]) -> None:
    columns = ["method.lr", "training.lr", "hypernet.chunk_size"]
    write([dict.fromkeys(columns, 1)], columns, "table")
    assert capsys.readouterr().out.split()[:3] == ["method.lr", "training.lr", "chunk_size"]


def test_empty_result_gives_a_message_and_stays_machine_readable(capsys: pytest.CaptureFixture[str]) -> None:
    write([], COLUMNS, "table", title="Trials of s")
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "Trials of s: no rows.\n")
    write([], COLUMNS, "json")
    assert json.loads(capsys.readouterr().out) == {"rows": []}
    write([], ["a", "b"], "csv")
    assert capsys.readouterr().out == "a,b\n"


def test_the_file_gets_the_data_and_the_terminal_a_message(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "rows.csv"
    write(ROWS, ["number"], "csv", path)
    assert path.read_bytes() == b"number\n0\n1\n"
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", f"wrote {path}\n")
    with pytest.raises(ConfigInvalid, match=r"-o must name a file that can be written, got .*: No such file"):
        write(ROWS, ["number"], "csv", tmp_path / "missing" / "rows.csv")


def test_one_thing_is_shown_by_its_parts(capsys: pytest.CaptureFixture[str]) -> None:
    content = {"name": "s", "states": {"COMPLETE": 2, "FAILED": 0}, "spec_text": "a\nb", "driver": None, "x": INTERVAL}
    write_object(content, "table")
    shown = capsys.readouterr().out
    assert "COMPLETE: 2" in shown
    assert "driver" not in shown
    assert "0.9570 [0.9512, 0.9630] n=3" in shown
    write_object(content, "json")
    assert json.loads(capsys.readouterr().out) == content
    write_object(content, "csv")
    assert len(list(csv.reader(io.StringIO(capsys.readouterr().out)))[1]) == 8


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.float64(0.5), 0.5),
        (np.int64(3), 3),
        (np.bool_(True), True),
        (Decimal("0.25"), 0.25),
        (pd.NA, None),
        (pd.NaT, None),
        (np.nan, None),
        (np.inf, None),
        (pd.Timestamp("2026-01-02", tz="UTC"), "2026-01-02T00:00:00+00:00"),
        ({"a": (np.int64(1), None)}, {"a": [1, None]}),
    ],
)
def test_numpy_and_pandas_values_become_plain(value: Any, expected: Any) -> None:
    assert plain(value) == expected
    assert type(plain(value)) is type(expected)


@given(st.dictionaries(st.text(max_size=3), st.floats() | st.none() | st.lists(st.floats(), max_size=3), max_size=4))
def test_anything_becomes_valid_json(content: dict[str, Any]) -> None:
    json.dumps(plain(content), allow_nan=False)


def test_a_name_cannot_command_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    write([{"name": "\x1b[31mred\u202egnp.exe\x07"}], ["name"], "table", title="\x9b2J")
    shown = capsys.readouterr().out
    assert "\\x1b[31mred\\u202egnp.exe\\x07" in shown
    assert not set(shown) & set("\x1b\x9b\u202e\x07")


def test_a_csv_holds_no_formula_and_json_every_text_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"name": "=cmd|'/c calc'!A0", "number": -1.5}]
    write(rows, ["name", "number"], "csv")
    assert capsys.readouterr().out == "name,number\n'=cmd|'/c calc'!A0,-1.5\n"
    write(rows, ["name", "number"], "jsonl")
    assert json.loads(capsys.readouterr().out) == rows[0]


def test_a_message_that_nobody_reads_ends_no_command(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w", buffering=1) as stream:
        monkeypatch.setattr("sys.stderr", stream)
        say("one")
        say("two")
