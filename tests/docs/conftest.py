"""Components added by one file, as docs/adding_a_method.md describes."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hnet_core.registry import METHODS, STREAMS, Registry

DOCS = Path(__file__).parents[2] / "docs"
PACKAGES = {"hnet_core.methods": METHODS, "hnet_core.streams": STREAMS}

AddFile = Callable[[str, str, str], Any]


def examples() -> dict[str, str]:
    """Return the Python examples of the guide by the title in their first line."""
    blocks = re.findall(r"```python\n(.*?)```", (DOCS / "adding_a_method.md").read_text(), flags=re.DOTALL)
    return {block.split(":")[0].removeprefix('"""'): block for block in blocks}


@pytest.fixture
def add_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AddFile]:
    """Add a component to a package by a file; the registry finds it as it finds the files of the package."""
    folder, added = tmp_path / "added", []
    folder.mkdir()

    def add(package: str, name: str, code: str) -> Any:
        module, registry = importlib.import_module(package), PACKAGES[package]
        assert isinstance(registry, Registry)
        (folder / f"{name}.py").write_text(code)
        monkeypatch.setattr(module, "__path__", [*module.__path__, str(folder)])
        monkeypatch.setattr(registry, "_found", None)
        added.append((module, name))
        assert [path.name for path in folder.glob("*.*")] == [f"{name}.py"], "one file, and nothing else"
        return registry[name]

    yield add
    for module, name in added:
        sys.modules.pop(f"{module.__name__}.{name}", None)
        delattr(module, name)
