"""Reports of other packages: one file and its template give a command, a page and report.json."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import reports
from reports import REPORTS
from tests.reports.cases import fill, new_engine, some_runs

FILE = '''
"""The configurations with the most seeds."""

from pathlib import Path

from reports import Argument, HtmlReport, Option, csv_text, render, write_report


def write(studies, name, out, *, top=2):
    rows = [{"trial": row["number"], "seeds": len(row["seeds"])} for row in studies.ledger(name)]
    rows = sorted(rows, key=lambda row: -row["seeds"])[:top]
    page = render(Path(__file__).with_name("most_seeds.html.j2"), study=name, rows=rows)
    return write_report(out, "seeds.html", {"seeds.html": page, "seeds.csv": csv_text(rows)}, {"study": name})


REPORT = HtmlReport(
    name="most-seeds",
    help="Which configurations have the most seeds?",
    argument=Argument("name", str, "a study"),
    options=(Option("top", int, "rows shown", minimum=1),),
    write=write,
)
'''
TEMPLATE = """{% extends "base.html.j2" %}
{% block title %}{{ study|short }}{% endblock %}
{% block main %}{% for row in rows %}<p>trial {{ row.trial }}: {{ row.seeds }} seeds</p>{% endfor %}{% endblock %}
"""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A folder with an installed package that adds one report."""
    folder = tmp_path / "site"
    metadata = folder / "most_seeds-1.0.dist-info"
    metadata.mkdir(parents=True)
    (folder / "most_seeds.py").write_text(FILE)
    (folder / "most_seeds.html.j2").write_text(TEMPLATE)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: most-seeds\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[hnet.reports]\nmost-seeds = most_seeds:REPORT\n")
    return folder


def hnet(package: Path, *arguments: str) -> str:
    """The output of a command in a process that sees the package."""
    path = os.pathsep.join([str(package), *sys.path])
    command = [sys.executable, "-m", "sweeps", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": path})
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_a_file_and_its_template_add_a_report(package: Path, tmp_path: Path) -> None:
    fill(new_engine(tmp_path), [some_runs(0), some_runs(1), some_runs(2)])
    assert "most-seeds" in hnet(package, "report", "--help")
    options = hnet(package, "report", "most-seeds", "--help")
    assert all(text in options for text in ("--top", "Rows shown", "--output", "--db"))
    out = tmp_path / "out"
    given = ["report", "most-seeds", "case", "-o", str(out), "--db", str(tmp_path / "study.db"), "--top", "1"]
    assert hnet(package, *given).strip() == str(out / "seeds.html")
    assert "<p>trial 0: 3 seeds</p>" in (out / "seeds.html").read_text()
    assert json.loads((out / "report.json").read_text()) == {
        "study": "case",
        "files": ["report.json", "seeds.csv", "seeds.html"],
    }
    assert len((out / "seeds.csv").read_text().splitlines()) == 2


def test_an_unknown_report_is_an_error_with_a_guess() -> None:
    with pytest.raises(ValueError, match="unknown report 'compar'; did you mean 'compare'"):
        REPORTS["compar"]


def test_every_public_name_can_be_imported() -> None:
    assert all(hasattr(reports, name) for name in reports.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = reports.nothing
