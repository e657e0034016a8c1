"""The notebook in docs/ runs, and docs/studies.md names commands that exist."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import typer

from sweeps import cli
from tests import notebook
from tests.sweeps.tiny import inline

DOCS = Path(__file__).parent.parent / "docs"


def test_every_cell_of_the_notebook_runs_and_its_front_compresses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sweeps.runner._ray", lambda: inline)
    names: dict[str, Any] = {}
    notebook.execute(notebook.read(), names, lambda code: code.replace('"iterations": 100', '"iterations": 2'))
    assert len(names["trials"]) >= 2
    assert str(names["verdict"])
    assert (names["found"].front("notebook")["compression_ratio"] < 1).all()


def test_the_notebook_is_kept_with_the_output_of_every_cell() -> None:
    cells = notebook.code_cells(notebook.read())
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    for cell in cells:
        kinds = [output["output_type"] for output in cell["outputs"]]
        assert kinds and "error" not in kinds, cell["source"]


def test_every_command_the_page_names_exists() -> None:
    page = (DOCS / "studies.md").read_text(encoding="utf-8")
    root = typer.main.get_command(cli.app)
    found = set(re.findall(r"`hnet (study|db) ([a-z-]+)", page))
    assert len(found) > 12
    for group, name in found:
        assert name in root.commands[group].commands, (group, name)  # type: ignore[attr-defined]
