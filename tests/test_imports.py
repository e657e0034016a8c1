"""The direction of imports: hnet_core <- studies <- reports <- sweeps, and heavy packages only where they belong."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent
ORDER = ["hnet_core", "studies", "reports", "sweeps"]
ONLY_IN = {
    "ray": {"sweeps"},
    "optuna": {"sweeps", "reports"},
    "sqlalchemy": {"studies"},
    "alembic": {"studies"},
    "torch": {"hnet_core", "sweeps"},
    "torchvision": {"hnet_core"},
    "sklearn": {"hnet_core", "reports"},
    "jinja2": {"reports"},
    "matplotlib": {"reports"},
}


def imports_of(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield str(node.module).split(".")[0]


@pytest.mark.parametrize("package", ORDER)
def test_a_package_imports_only_from_its_left(package: str) -> None:
    to_the_right = set(ORDER[ORDER.index(package) + 1 :])
    for path in (REPOSITORY / package).rglob("*.py"):
        found = set(imports_of(path))
        assert not found & to_the_right, path
        for heavy, allowed in ONLY_IN.items():
            assert heavy not in found or package in allowed, (path, heavy)


def test_the_help_text_imports_nothing_heavy() -> None:
    code = (
        "import sys\nsys.argv = ['hnet', '--help']\nimport sweeps.cli\n"
        "try:\n    sweeps.cli.main()\nexcept SystemExit:\n    pass\n"
        "heavy = {'torch', 'ray', 'optuna', 'pandas', 'scipy', 'sqlalchemy', 'numpy'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
