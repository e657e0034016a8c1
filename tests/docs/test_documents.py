"""Documents import from package faces only, name files that exist, and link to pages and headings that exist."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from tests.test_imports import ROOMS

REPOSITORY = Path(__file__).parents[2]
DOCS = REPOSITORY / "docs"
PAGES = [REPOSITORY / "README.md", REPOSITORY / "CHANGELOG.md", *sorted(DOCS.rglob("*.md"))]
GUIDE = DOCS / "adding_a_method.md"  # documents the modules a plug-in imports
PACKAGES = ("hnet_core", "studies", "reports", "sweeps")


def python_of(document: Path) -> list[str]:
    """The Python blocks of a page, or the code cells of a notebook."""
    text = document.read_text(encoding="utf-8")
    if document.suffix == ".ipynb":
        cells = json.loads(text)["cells"]
        return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    return re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)


def imports_of(code: str) -> Iterator[tuple[str, str | None]]:
    """Module and name of each import from our packages; the name is None for `import module`."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            found = [(alias.name, None) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found = [(node.module or "", alias.name) for alias in node.names]
        else:
            continue
        yield from (each for each in found if each[0].partition(".")[0] in PACKAGES)


@pytest.mark.parametrize("package", PACKAGES)
def test_every_name_of_a_package_face_can_be_imported(package: str) -> None:
    face = import_module(package)
    assert [name for name in getattr(face, "__all__", ()) if not hasattr(face, name)] == []
    with pytest.raises(AttributeError):
        face.no_such_name  # noqa: B018


@pytest.mark.parametrize("document", [*PAGES, *sorted(DOCS.rglob("*.ipynb"))], ids=lambda path: path.name)
def test_documents_import_from_package_faces_only(document: Path) -> None:
    for_plug_ins = {module for code in python_of(GUIDE) for module, _ in imports_of(code)}
    for code in python_of(document):
        for module, name in imports_of(code):
            if module in for_plug_ins:
                continue
            assert module in PACKAGES, f"{module} is inside of a package; import from the package itself"
            assert name is None or name in getattr(import_module(module), "__all__", ()), (
                f"{module} does not offer {name}"
            )


def test_the_documents_show_how_each_public_package_is_imported() -> None:
    found = {
        module for path in [*PAGES, DOCS / "asking.ipynb"] for code in python_of(path) for module, _ in imports_of(code)
    }
    assert {"studies", "sweeps", "hnet_core"} <= found


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_every_file_a_page_names_exists(page: Path) -> None:
    roots = (*PACKAGES, "perf", "tests", "docs")
    named = re.findall(rf"`((?:{'|'.join(roots)})/[a-z0-9_/.-]+)`", page.read_text(encoding="utf-8"))
    assert [path for path in named if not (REPOSITORY / path).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_every_link_of_a_page_leads_to_a_file_and_a_heading(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if "://" in link:
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), link
        assert not anchor or anchor in anchors_of(target), link


def test_the_folders_of_the_architecture_page_are_in_the_order_of_imports() -> None:
    page = (DOCS / "architecture.md").read_text(encoding="utf-8")
    found: dict[str, list[str]] = {}
    for package, folder in re.findall(r"^\| (?:`(\w+)`)? ?\| (?:`(\w+)`|\(top\)) \|", page, flags=re.MULTILINE):
        rooms = found.setdefault(package, []) if package else found[[*found][-1]]
        rooms += [folder] if folder else []
    assert found == ROOMS


def test_every_decision_is_in_the_index_and_gives_context_choice_and_price() -> None:
    decisions = sorted((DOCS / "decisions").glob("0*.md"))
    index = (DOCS / "decisions" / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"\]\((0.*\.md)\)", index) == [path.name for path in decisions]
    for path in decisions:
        text = path.read_text(encoding="utf-8")
        assert [part for part in ("Context", "Choice", "Price", "Reconsider") if f"**{part}" not in text] == [], (
            path.name
        )


def anchors_of(page: Path) -> set[str]:
    """Anchors of the headings as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
