"""`hnet report paper` writes the page, its numbers and a LaTeX table, and the list names every table."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from reports.pages.published_table import _measured, _range, _signed
from sweeps.cli.report import app
from tests.reports.cases import fill, new_engine, some_runs
from tests.reports.reading import read


def test_the_report_of_a_table_is_written_also_where_nothing_was_measured(tmp_path: Path) -> None:
    fill(new_engine(tmp_path), [some_runs(0)])
    out = tmp_path / "out"
    arguments = ["paper", "vonoswald2020:table1", "-o", str(out), "--db", str(tmp_path / "study.db")]
    result = CliRunner().invoke(app, arguments)
    assert (result.exit_code, result.stdout.strip()) == (0, str(out / "paper.html"))
    assert sorted(path.name for path in out.iterdir()) == ["paper.csv", "paper.html", "paper.tex", "report.json"]
    summary = json.loads((out / "report.json").read_text())
    assert summary["verdicts"] == {"agrees": 0, "differs": 0, "not comparable": 36}
    page = read((out / "paper.html").read_text())
    assert page.rows["missing-21"][:3] == ["S-CL1", "HNET+ENT", "99.79"]
    assert "None of the 36 numbers of this table has been measured in this database." in page.text
    first = (out / "paper.html").read_bytes()
    CliRunner().invoke(app, arguments)
    assert (out / "paper.html").read_bytes() == first


def test_numbers_have_the_digits_that_their_intervals_support() -> None:
    row = {"measured": 99.7512, "measured.low": 99.62, "measured.high": 99.88, "n": 5}
    assert (_measured(row), _range(row)) == ("99.75", "[99.62, 99.88]")
    one = {**row, "measured.low": None, "measured.high": None, "n": 1}
    assert (_measured(one), _range(one)) == ("99.75", "–")
    assert [_signed(*given) for given in ((-0.0388, 0.4), (12.3456, 3.0), (-0.0388, None), (None, None))] == [
        "-0.04", "+12.3", "-0.03880", "–",
    ]  # fmt: skip


def test_every_published_table_is_listed() -> None:
    from sweeps.cli import app as root

    result = CliRunner().invoke(root, ["list", "tables", "--format", "csv"])
    assert result.exit_code == 0
    assert result.stdout.count("vonoswald2020:table") == 6
    assert result.stdout.count("hemati2023:table") == 6
