"""The notebook in docs/ runs, and docs/studies.md names commands that exist."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import typer

from sweeps import cli
from tests.sweeps.tiny import inline

DOCS = Path(__file__).parent.parent / "docs"


def cells() -> list[str]:
    notebook = json.loads((DOCS / "asking.ipynb").read_text(encoding="utf-8"))
    return ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]


def test_every_cell_of_the_notebook_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sweeps.runner._ray", lambda: inline)
    names: dict[str, object] = {}
    for code in cells():
        exec(compile(code.replace('"iterations": 20', '"iterations": 2'), "asking.ipynb", "exec"), names)
    assert len(names["trials"]) >= 2  # type: ignore[arg-type]
    assert str(names["verdict"])


def test_the_notebook_is_kept_without_output() -> None:
    notebook = json.loads((DOCS / "asking.ipynb").read_text(encoding="utf-8"))
    assert all(not cell["outputs"] for cell in notebook["cells"] if cell["cell_type"] == "code")


def test_every_command_the_page_names_exists() -> None:
    page = (DOCS / "studies.md").read_text(encoding="utf-8")
    root = typer.main.get_command(cli.app)
    found = set(re.findall(r"`hnet (study|db) ([a-z-]+)", page))
    assert len(found) > 12
    for group, name in found:
        assert name in root.commands[group].commands, (group, name)  # type: ignore[attr-defined]
