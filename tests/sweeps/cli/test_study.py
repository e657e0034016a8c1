"""`hnet study` on the command line."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import Result
from sqlalchemy import Engine, text
from typer.testing import CliRunner

from hnet_core.errors import ConfigInvalid, HnetError
from studies.database.open_database import connect
from studies.metrics.definitions import METRICS, WHOLE
from studies.queries.studies import Studies
from sweeps.cli.study import app
from tests.studies.sample import sample_study


@pytest.fixture
def db(tmp_path: Path) -> str:
    path = str(tmp_path / "study.db")
    sample_study(connect(path, create=True), 12)
    return path


def run(*arguments: str, **options: Any) -> Result:
    return CliRunner().invoke(app, list(arguments), **options)


def rows_of(*arguments: str) -> list[dict[str, Any]]:
    result = run(*arguments, "--format", "json")
    assert result.exit_code == 0, result.output
    rows: list[dict[str, Any]] = json.loads(result.stdout)["rows"]
    return rows


def test_trials_as_json_carry_number_state_params_and_metrics(db: str) -> None:
    rows = rows_of("trials", "sample-tradeoff", "--db", db)
    expected = Studies(_engine(db)).trials("sample-tradeoff")
    assert [row["number"] for row in rows] == list(range(12))
    for row, (_, trial) in zip(rows, expected.iterrows(), strict=True):
        assert row["state"] == trial["state"]
        assert row["params"] == trial["params"]
        for name in METRICS:
            if name in WHOLE:
                assert row[name] == trial[name]
                assert isinstance(row[name], int)
            else:
                assert list(row[name]) == ["mean", "low", "high", "n"]
                mean = row[name]["mean"]
                assert mean == trial[name] if mean is not None else trial[name] != trial[name]
                assert row[name]["n"] == (0 if mean is None else row["n"])
    assert rows[0]["final_accuracy"]["low"] == expected["final_accuracy.low"][0]
    assert rows[4]["final_accuracy"] == {"mean": None, "low": None, "high": None, "n": 0}
    assert rows[7]["compression_ratio"]["mean"] > 1
    assert rows[10]["duplicate_of"] == 1


def _engine(db: str) -> Engine:
    from studies.database.open_database import connect

    return connect(db)


def test_conditions_order_and_limit_work_on_every_list(db: str) -> None:
    best = rows_of(
        "trials", "sample-tradeoff", "--db", db, "--where", "n == 3", "--sort", "-final_accuracy", "--limit", "2"
    )
    assert [row["final_accuracy"]["mean"] for row in best] == sorted(
        (r["final_accuracy"]["mean"] for r in best), reverse=True
    )
    assert len(best) == 2
    front = rows_of("front", "sample-tradeoff", "--db", db, "--where", "compression_ratio < 0.4", "--sort", "-number")
    assert front
    assert all(row["compression_ratio"]["mean"] < 0.4 for row in front)
    assert rows_of("ls", "--db", db, "--where", "trials > 99") == []
    states = rows_of("sql", "SELECT state, count(*) AS n FROM trial GROUP BY state ORDER BY n DESC", "--db", db)
    assert states[0] == {"state": "COMPLETE", "n": 10}


def test_csv_of_trials_has_a_column_for_each_searched_value(db: str) -> None:
    result = run("trials", "sample-tradeoff", "--db", db, "--format", "csv")
    [first, *_] = csv.DictReader(io.StringIO(result.stdout))
    trial = Studies(_engine(db)).trials("sample-tradeoff").iloc[0]
    for column in ("method.beta_output", "final_accuracy", "final_accuracy.low", "seconds.high"):
        assert float(first[column]) == trial[column], "exact"
    assert first["final_accuracy.n"] == "3"
    assert "params" not in first


def test_a_front_by_another_cost_shows_that_cost_after_the_quality(db: str) -> None:
    shown = run("front", "sample-tradeoff", "--db", db, "--x", "seconds", env={"COLUMNS": "80"})
    assert shown.stdout.splitlines()[2].split() == ["number", "beta_output", "final_accuracy", "seconds"]


@pytest.mark.parametrize("command", ["trials", "front"])
def test_a_narrow_terminal_shows_the_objectives_first(db: str, command: str) -> None:
    shown = run(command, "sample-tradeoff", "--db", db, env={"COLUMNS": "80"})
    lines = shown.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    fourth = {"trials": "state", "front": "beta_output"}[command]  # all members of a front are COMPLETE
    assert set(lines[2].split()) == {"number", "final_accuracy", "compression_ratio", fourth}
    assert "left out, as the table is 80 characters wide: " in shown.stderr
    assert "left out" not in run(command, "sample-tradeoff", "--db", db).stderr


@pytest.mark.parametrize("format", ["table", "csv", "json", "jsonl"])
def test_integers_of_a_query_stay_exact_beside_a_missing_one(db: str, format: str, tmp_path: Path) -> None:
    big = 2**53 + 1
    query = f"SELECT {big} AS a, 1 AS b UNION ALL SELECT NULL, 2"
    shown = run("sql", query, "--db", db, "--format", format).stdout
    assert str(big) in shown
    assert "1.0" not in shown
    last = shown.splitlines()[-1]
    assert {"csv": last == ",2", "jsonl": last == '{"a": null, "b": 2}'}.get(format, True)


@pytest.mark.parametrize("format", ["csv", "parquet"])
def test_an_integer_that_some_trials_do_not_have_is_exported_as_an_integer(format: str, tmp_path: Path) -> None:
    path, out = str(tmp_path / "gaps.db"), tmp_path / f"runs.{format}"
    engine = connect(path, create=True)
    sample_study(engine, 3)
    with engine.begin() as connection:
        for assignment in ("params = '{\"hypernet.chunk_size\": null}'", "memory_bytes = NULL"):
            connection.execute(text(f"UPDATE trial SET {assignment} WHERE number = 1"))
    result = run("export", "sample-tradeoff", "--db", path, "--format", format, "-o", str(out))
    assert result.exit_code == 0, result.exception
    if format == "parquet":
        frame = pd.read_parquet(out, dtype_backend="numpy_nullable")
        assert str(frame["hypernet.chunk_size"].dtype) == str(frame["memory_bytes"].dtype) == "Int64"
    else:
        rows = list(csv.DictReader(io.StringIO(out.read_text())))
        assert [row["memory_bytes"] for row in rows if row["number"] == "0"] == ["100"] * 3
        assert {row["memory_bytes"] + row["hypernet.chunk_size"] for row in rows if row["number"] == "1"} == {""}
        assert all("." not in row["hypernet.chunk_size"] for row in rows)


def test_export_writes_runs_trials_or_evaluations(db: str, tmp_path: Path) -> None:
    lines = run("export", "sample-tradeoff", "--db", db, "--format", "jsonl").stdout.splitlines()
    assert len(lines) == 27
    assert json.loads(lines[0])["seed"] == 0
    path = tmp_path / "cells.csv"
    result = run("export", "sample-tradeoff", "--rows", "evaluations", "--db", db, "-o", str(path))
    assert result.stdout == ""
    assert len(path.read_text().splitlines()) == 1 + 27 * 35
    assert len(rows_of("export", "sample-tradeoff", "--rows", "trials", "--db", db)) == 12
    assert isinstance(run("export", "sample-tradeoff", "--rows", "seeds", "--db", db).exception, ConfigInvalid)
    for wrong in (["--format", "table"], ["--rows", "matrices", "--format", "csv"]):
        error = run("export", "sample-tradeoff", *wrong, "--db", db).exception
        assert isinstance(error, HnetError) and error.exit_code == 2


def test_export_to_parquet_keeps_types_and_values(db: str, tmp_path: Path) -> None:
    found = Studies(_engine(db))
    path = tmp_path / "out.parquet"
    for rows, expected in (("runs", found.runs("sample-tradeoff")), ("trials", found.trials("sample-tradeoff"))):
        assert (
            run(
                "export", "sample-tradeoff", "--rows", rows, "--format", "parquet", "--db", db, "-o", str(path)
            ).exit_code
            == 0
        )
        written = pd.read_parquet(path)
        assert list(written.columns) == list(expected.columns)
        numeric = expected.select_dtypes("number").columns
        pd.testing.assert_frame_equal(written[numeric], expected[numeric])
    assert json.loads(written["params"][0]) == expected["params"][0]
    assert isinstance(run("export", "sample-tradeoff", "--format", "parquet", "--db", db).exception, ConfigInvalid)


def test_show_sums_up_a_study(db: str) -> None:
    shown = json.loads(run("show", "sample-tradeoff", "--db", db, "--format", "json").stdout)
    assert shown["states"]["COMPLETE"] == 10
    assert shown["objectives"] == {"final_accuracy": "maximize", "compression_ratio": "minimize"}
    front = rows_of("front", "sample-tradeoff", "--db", db)
    assert shown["front_size"] == len(front)
    best = max(front, key=lambda row: row["final_accuracy"]["mean"])
    assert shown["best"]["final_accuracy"] == {"number": best["number"], "value": best["final_accuracy"]}
    assert shown["launches"][0]["host"] == "sample-host"
    table = run("show", "sample-tradeoff", "--db", db).stdout
    assert "COMPLETE: 10" in table
    assert "hypernet.chunk_size: int [50, 1500], log True" in table


def test_show_prints_one_trial_in_full(db: str) -> None:
    table = run("show", "sample-tradeoff", "4", "--db", db).stdout
    assert "Traceback ..." in table
    assert "line two" in table
    shown = json.loads(run("show", "sample-tradeoff", "0", "--db", db, "--format", "json").stdout)
    assert len(shown["runs"]) == 3
    assert shown["final_accuracy"]["n"] == 3
    assert shown["config"]["target"] == {"name": "mlp", "hidden": [100, 100]}


def test_table_shows_only_what_differs_or_matters(db: str) -> None:
    heading = run("trials", "sample-tradeoff", "--db", db).stdout.splitlines()[2].split()
    assert heading == [
        "number", "state", "beta_output", "task_embedding", "chunk_embedding", "chunk_size",
        "final_accuracy", "compression_ratio", "forgetting", "reason", "duplicate_of",
    ]  # fmt: skip
    only = run("trials", "sample-tradeoff", "--db", db, "--limit", "1").stdout.splitlines()[2].split()
    assert "chunk_size" in only, "one row shows what was searched too"
    assert (
        run("trials", "sample-tradeoff", "--db", db, "--where", "number > 99").stderr
        == "Trials of sample-tradeoff: no rows.\n"
    )


def test_truncated_sql_is_reported_on_standard_error(db: str) -> None:
    result = run("sql", "SELECT * FROM evaluation", "--db", db, "--limit", "5", "--format", "json")
    assert len(json.loads(result.stdout)["rows"]) == 5
    assert "only the first 5 rows" in result.stderr


def test_database_is_named_by_option_environment_or_default(
    db: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("ls", env={"HNET_DB": db}).exit_code == 0
    monkeypatch.chdir(tmp_path)
    error = run("ls").exception
    assert isinstance(error, HnetError)
    assert str(error) == "no database at hnet.db; run a sweep first or name one with --db / HNET_DB."


def test_errors_carry_their_exit_code(db: str, tmp_path: Path) -> None:
    cases = [
        (["show", "nope", "--db", db], 3),
        (["show", "sample-tradeoff", "99", "--db", db], 3),
        (["show", "sample-tradeoff", "--joint", "sample-tradeoff:0", "--db", db], 2),
        (["trials", "sample-tradeoff", "--db", db, "--where", "nope == 1"], 2),
        (["trials", "sample-tradeoff", "--db", db, "--limit", str(2**64)], 2),
        (["show", "sample-tradeoff", str(2**64), "--db", db], 2),
        (["sql", "DELETE FROM trial", "--db", db], 2),
        (["ls", "--db", str(tmp_path / "none.db")], 5),
    ]
    for arguments, code in cases:
        error = run(*arguments).exception
        assert isinstance(error, HnetError), arguments
        assert error.exit_code == code, arguments


@pytest.mark.parametrize(
    "command",
    [
        ("export", "sample-tradeoff"),
        ("export", "sample-tradeoff", "--format", "parquet"),
        ("show", "sample-tradeoff", "--format", "json"),
        ("ls",),
    ],
)
def test_no_output_is_written_over_a_database(db: str, command: tuple[str, ...]) -> None:
    before = Path(db).read_bytes()
    error = run(*command, "--db", db, "-o", db).exception
    assert isinstance(error, ConfigInvalid)
    assert "-o must not name a database" in str(error)
    assert Path(db).read_bytes() == before


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys, studies, sweeps.cli, studies.output.formats, studies.metrics.definitions\n"
        "import studies.statistics.intervals\n"
        "heavy = {'torch', 'ray', 'optuna', 'pandas', 'scipy', 'sqlalchemy', 'alembic', 'numpy'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (result.stdout, result.stderr) == ("[]\n", "")
