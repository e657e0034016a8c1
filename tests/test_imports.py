"""The direction of imports: of packages, of the rooms inside each, and heavy packages only where they belong."""

from __future__ import annotations

import ast
import functools
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
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
    "jinja2": {"reports", "sweeps"},
    "matplotlib": {"reports"},
    "starlette": {"sweeps"},
    "uvicorn": {"sweeps"},
    "anyio": {"sweeps"},
}
# A room imports from those before it only; what is not named here (a file beside the rooms) is bound by no order.
ROOMS = {
    "hnet_core": [
        "configuration",
        "runtime",
        "data",
        "streams",
        "optimization",
        "targets",
        "hypernets",
        "weights",
        "regularizers",
        "engines",
        "generators",
        "rehearsal",
        "methods",
        "task_inference",
        "evaluation",
    ],
    "studies": ["metrics", "statistics", "spec", "database", "store", "queries", "comparing", "output"],
    "reports": ["data", "analysis", "drawing", "tables", "figures", "model_figures", "pages"],
    "sweeps": ["search", "driver", "ray_backend", "launch", "server", "cli"],
}
MAX_FILES = 22
PLUG_INS = {"hnet_core/methods", "hnet_core/generators", "hnet_core/streams", "hnet_core/targets", "hnet_core/data"}

Graph = dict[Path, set[Path]]


def files_of(package: str) -> list[Path]:
    found = [path.relative_to(REPOSITORY) for path in (REPOSITORY / package).rglob("*.py")]
    return sorted(path for path in found if "versions" not in path.parts)


MODULES = {
    ".".join(path.with_suffix("").parts).removesuffix(".__init__"): path
    for package in ORDER
    for path in files_of(package)
}


@functools.cache
def imports_of(path: Path, at_runtime: bool = False) -> tuple[str, ...]:
    """Full names that a file imports, inside functions too; `at_runtime` leaves out what only types need."""
    return tuple(_imports(ast.parse((REPOSITORY / path).read_text(encoding="utf-8")), at_runtime))


def _imports(tree: ast.Module, at_runtime: bool) -> Iterator[str]:
    blocks = [node for node in ast.walk(tree) if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)]
    for_types = {id(node) for block in blocks for node in ast.walk(block)} if at_runtime else set()
    for node in ast.walk(tree):
        if id(node) in for_types:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def file_of(name: str) -> Path | None:
    while name and name not in MODULES:
        name = name.rpartition(".")[0]
    return MODULES.get(name)


@functools.cache
def import_graph() -> Graph:
    """Which file imports which; the face of a package (its __init__) hands names on and counts for neither side."""
    graph: Graph = {}
    for path in MODULES.values():
        if path.name != "__init__.py":
            found = {file_of(name) for name in imports_of(path, at_runtime=True)}
            graph[path] = {other for other in found if other not in (None, path) and other.name != "__init__.py"}
    return graph


def folder_graph(graph: Graph) -> Graph:
    """Which folder imports which, compared at the level where two paths part."""
    folders: Graph = {}
    for path, others in graph.items():
        for other in others:
            depth = next(i for i, (a, b) in enumerate(zip(path.parts, other.parts, strict=False)) if a != b)
            here, there = (Path(*one.parts[: depth + 1]) for one in (path, other))
            if not here.suffix and not there.suffix:
                folders.setdefault(here, set()).add(there)
    return folders


@pytest.mark.parametrize("package", ORDER)
def test_a_package_imports_only_from_its_left(package: str) -> None:
    to_the_right = set(ORDER[ORDER.index(package) + 1 :])
    for path in files_of(package):
        found = {name.partition(".")[0] for name in imports_of(path)}
        assert not found & to_the_right, path
        for heavy, allowed in ONLY_IN.items():
            assert heavy not in found or package in allowed, (path, heavy)


@pytest.mark.parametrize("package", ORDER)
def test_a_room_imports_only_from_the_rooms_before_it(package: str) -> None:
    rooms = ROOMS[package]
    for path, others in import_graph().items():
        for other in others:
            if path.parts[0] == other.parts[0] == package and {path.parts[1], other.parts[1]} <= set(rooms):
                assert rooms.index(other.parts[1]) <= rooms.index(path.parts[1]), f"{path} imports {other}"


@pytest.mark.parametrize("level", ["files", "folders"])
def test_no_imports_run_in_a_circle(level: str) -> None:
    graph = import_graph()
    try:
        TopologicalSorter(graph if level == "files" else folder_graph(graph)).prepare()
    except CycleError as error:
        pytest.fail(f"imports in a circle: {' -> '.join(map(str, error.args[1]))}")


def test_no_folder_holds_too_many_files() -> None:
    counts = Counter(str(path.parent) for path in MODULES.values() if path.name != "__init__.py")
    assert not {folder: n for folder, n in counts.items() if n > MAX_FILES and folder not in PLUG_INS}


def test_every_folder_of_a_package_is_a_room_with_a_place_in_the_order() -> None:
    rooms = {path.parts[1] for path in MODULES.values() if len(path.parts) > 2}
    assert rooms - {"presets", "templates"} == {room for each in ROOMS.values() for room in each}


def test_the_help_text_imports_nothing_heavy() -> None:
    code = (
        "import sys\nsys.argv = ['hnet', '--help']\nimport sweeps.cli\n"
        "try:\n    sweeps.cli.main()\nexcept SystemExit:\n    pass\n"
        "heavy = {'torch', 'ray', 'optuna', 'pandas', 'scipy', 'sqlalchemy', 'numpy'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
