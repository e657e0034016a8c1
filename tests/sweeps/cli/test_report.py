"""`hnet report tradeoff` writes the page and says where."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hnet_core.errors import ConfigInvalid
from reports.registry import REPORTS
from studies.errors import StudyNotFound
from sweeps.cli.report import app
from tests.reports.cases import fill, new_engine, some_runs


@pytest.fixture
def database(tmp_path: Path) -> str:
    fill(new_engine(tmp_path), [some_runs(0)])
    return str(tmp_path / "study.db")


def test_the_page_is_written_and_its_place_printed(database: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["tradeoff", "case", "-o", str(tmp_path / "out"), "--db", database])
    assert (result.exit_code, result.stdout.strip()) == (0, str(tmp_path / "out" / "tradeoff.html"))
    assert (tmp_path / "out" / "tradeoff.html").stat().st_size > 10_000


def test_the_database_may_come_from_the_environment(database: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["tradeoff", "case", "-o", str(tmp_path / "out")], env={"HNET_DB": database})
    assert result.exit_code == 0


def test_an_axis_that_is_no_cost_is_an_error_with_a_guess(database: str, tmp_path: Path) -> None:
    command = ["tradeoff", "case", "--x", "second", "-o", str(tmp_path / "out"), "--db", database]
    result = CliRunner().invoke(app, command)
    assert isinstance(result.exception, ConfigInvalid) and result.exception.exit_code == 2
    assert "did you mean 'seconds'" in str(result.exception)


def test_a_study_that_is_not_there_is_an_error_with_a_guess(database: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["tradeoff", "cas", "-o", str(tmp_path / "out"), "--db", database])
    assert isinstance(result.exception, StudyNotFound)
    assert "did you mean 'case'" in str(result.exception)


HEAVY = {"torch", "ray", "optuna", "pandas", "scipy", "numpy", "sqlalchemy", "jinja2"}


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from typer.testing import CliRunner; from sweeps.cli.report import app\n"
        f"for name in {[[], *([name] for name in REPORTS)]}:\n"
        "    assert CliRunner().invoke(app, [*name, '--help']).exit_code == 0\n"
        f"    print(name, sorted({HEAVY} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert len(lines) == 1 + len(REPORTS) and all(line.endswith("] []") for line in lines), done.stdout


def test_the_root_help_imports_no_report() -> None:
    code = (
        "import sys; from typer.testing import CliRunner; from sweeps.cli import app\n"
        "assert CliRunner().invoke(app, ['--help']).exit_code == 0\n"
        "print([name for name in sys.modules if name.startswith('reports.pages')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
