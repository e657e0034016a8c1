"""The notebook of docs/: run its cells, and write their outputs into the file with `python -m tests.notebook`."""

from __future__ import annotations

import ast
import contextlib
import io
import json
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

FILE = Path(__file__).parent.parent / "docs" / "asking.ipynb"
Change = Callable[[str], str]


def read() -> dict[str, Any]:
    content: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return content


def code_cells(notebook: dict[str, Any]) -> list[dict[str, Any]]:
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def execute(notebook: dict[str, Any], names: dict[str, Any], change: Change = lambda code: code) -> None:
    """Run all code cells and put their outputs in, as Jupyter does: what is printed, and the value of the last line.

    Args:
        names: variables of the cells, filled by them.
        change: applied to the code of each cell before it runs.
    """
    for number, cell in enumerate(code_cells(notebook), 1):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            value = _run(change("".join(cell["source"])), names)
        cell["execution_count"] = number
        cell["outputs"] = list(_outputs(printed.getvalue(), value, number))


def _run(code: str, names: dict[str, Any]) -> Any:
    """Run a cell and return the value of its last line, None if that is a statement."""
    body = ast.parse(code).body
    last = body.pop() if isinstance(body[-1], ast.Expr) else None
    exec(compile(ast.Module(body, []), FILE.name, "exec"), names)
    return None if last is None else eval(compile(ast.Expression(last.value), FILE.name, "eval"), names)


def _outputs(printed: str, value: Any, number: int) -> Iterator[dict[str, Any]]:
    if printed:
        yield {"output_type": "stream", "name": "stdout", "text": printed.splitlines(keepends=True)}
    if value is not None:
        data = {"text/plain": repr(value).splitlines(keepends=True)}
        if hasattr(value, "_repr_html_"):
            data["text/html"] = value._repr_html_().splitlines(keepends=True)
        yield {"output_type": "execute_result", "execution_count": number, "data": data, "metadata": {}}


def main() -> None:
    notebook = read()
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        execute(notebook, {})
    text = json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"
    FILE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
