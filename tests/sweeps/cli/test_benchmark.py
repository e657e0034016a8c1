"""`hnet benchmark`: lists, own tables, and reports that are those of `hnet report paper`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

import studies
from hnet_core.errors import HnetError
from reports.data.own_tables import read_own_tables
from sweeps.benchmarking import Selection, make_plan, run_plan
from sweeps.cli import app
from tests.own_tables import write_own_tables
from tests.sweeps.tiny import inline


@pytest.fixture
def with_tables(tmp_path: Path) -> str:
    """A database with the tables of `mine`, nothing measured."""
    url = str(tmp_path / "hnet.db")
    assert hnet("add", str(write_own_tables(tmp_path)), "--db", url).exit_code == 0
    return url


@pytest.fixture
def database(with_tables: str, tmp_path: Path) -> str:
    """The same database, measured with two seeds."""
    table = read_own_tables(tmp_path / "mine.yaml").tables[0]
    run_plan(make_plan(Selection(table, seeds=2), None, tmp_path), with_tables, None, tmp_path, backend=inline)
    return with_tables


def hnet(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["benchmark", *arguments])


def rows_of(*arguments: str) -> list[dict[str, Any]]:
    result = hnet(*arguments, "--format", "json")
    assert result.exit_code == 0, result.output
    rows: list[dict[str, Any]] = json.loads(result.stdout)["rows"]
    return rows


def test_every_cell_is_measurable_has_a_reason_or_is_unexplained(tmp_path: Path) -> None:
    rows = rows_of("ls", "--db", str(tmp_path / "none.db"))
    keys = ["table", "cells", "measurable", "measured", "agrees", "differs", "unexplained"]
    assert {tuple(row) for row in rows} == {tuple(keys)}
    assert sum(row["cells"] for row in rows) >= 306
    for row in rows:
        cells = rows_of("ls", row["table"], "--db", str(tmp_path / "none.db"))
        ways = [cell["measured_by"] is not None for cell in cells]
        assert (len(cells), sum(ways)) == (row["cells"], row["measurable"])
        assert all(way or cell["why"] for way, cell in zip(ways, cells, strict=True))
    assert not (tmp_path / "none.db").exists()


def test_own_tables_are_listed_with_what_was_measured(database: str) -> None:
    (row,) = [row for row in rows_of("ls", "--db", database) if row["table"] == "mine:t1"]
    assert (row["cells"], row["measurable"], row["measured"], row["unexplained"]) == (6, 4, 4, 0)
    cells = rows_of("ls", "mine:t1", "--db", database)
    assert [cell["scale"] for cell in cells] == ["full", "full", None, "full", "full", None]
    assert {cell["n"] for cell in cells} == {2, 0}
    assert cells[2]["why"] == "another machine"


def test_both_commands_write_the_same_report(database: str, tmp_path: Path) -> None:
    for arguments, out in ((["benchmark", "report"], "one"), (["report", "paper"], "two")):
        result = CliRunner().invoke(app, [*arguments, "mine:t1", "-o", str(tmp_path / out), "--db", database])
        assert result.exit_code == 0, result.output
    one, two = (json.loads((tmp_path / out / "report.json").read_text()) for out in ("one", "two"))
    assert one["cells"] == two["cells"]
    cell = one["cells"][0]
    assert (cell["row"], cell["column"], cell["published"]) == ("A,B", "during", 50.0)
    assert 0 < cell["measured"] <= 100
    assert cell["verdict"] in ("agrees", "differs")
    assert cell["p_holm"] >= cell["p"]


def test_adding_the_same_tables_again_changes_nothing(with_tables: str, tmp_path: Path) -> None:
    result = hnet("add", str(tmp_path / "mine.yaml"), "--db", with_tables)
    assert result.exit_code == 0
    assert "known already: mine:t1: 6 cells, 4 measurable." in result.stderr


def test_added_tables_are_removed(with_tables: str) -> None:
    refused = hnet("rm", "mine", "--db", with_tables)
    assert "confirm with --yes" in str(refused.exception)
    assert hnet("rm", "mine", "--db", with_tables, "--yes").stderr == "removed the tables of mine.\n"
    assert "mine" not in hnet("ls", "--db", with_tables).stdout


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("run", "mine:t1", "--rows", "D"), 3, "--rows: unknown name 'D'; known: A,B, C."),
        (("run", "mine:t1", "--columns", "after,x"), 3, "--columns: unknown name 'x'"),
        (("run", "mine:t2"), 3, "no published table 'mine:t2'; did you mean 'mine:t1'?"),
        (("ls", "mine:t2"), 3, "no published table 'mine:t2'"),
        (("run", "mine:t1", "--columns", "time"), 2, "none of the 2 cells chosen can be measured here"),
    ],
)
def test_errors_have_their_exit_codes(arguments: tuple[str, ...], code: int, message: str, with_tables: str) -> None:
    result = hnet(*arguments, "--db", with_tables)
    assert isinstance(result.exception, HnetError)
    assert result.exception.exit_code == code
    assert message in str(result.exception)


def test_a_check_estimates_what_a_run_would_train_and_writes_nothing(with_tables: str, tmp_path: Path) -> None:
    options = ["--db", with_tables, "--seeds", "2", "--workers", "1", "--format", "json"]
    result = hnet("check", "mine:t1", *options)
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert (found["studies"], found["seeds"]) == (["mine:t1"], 2)
    assert found["runs"] == 2 * found["trials"] > 0
    assert found["timed"] == found["trials"]
    assert found["estimated_minutes"] is not None
    assert studies.open(with_tables).names() == []
    table = read_own_tables(tmp_path / "mine.yaml").tables[0]
    plan = make_plan(Selection(table, seeds=2), None, tmp_path)
    run_plan(plan, with_tables, None, tmp_path, backend=inline)
    assert found["trials"] == len(plan.trainings)
    again = json.loads(hnet("check", "mine:t1", *options).stdout)
    assert (again["studies"], again["trials"], again["estimated_minutes"]) == ([], 0, 0.0)
    assert again["measured_already"] == found["cells"]
    options[options.index("2")] = "3"
    assert json.loads(hnet("check", "mine:t1", *options).stdout)["studies"] == ["mine:t1"], "a third seed is missing"


def test_a_check_of_cells_that_nothing_measures_says_why(with_tables: str) -> None:
    result = hnet("check", "mine:t1", "--db", with_tables, "--rows", "nothing")
    assert isinstance(result.exception, HnetError)
    assert "unknown name 'nothing'" in str(result.exception)
