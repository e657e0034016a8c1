"""The example of docs/adding_a_method.md keeps the contract as it stands, and is found by what lists methods."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hnet_core.build import networks, stream_shape
from hnet_core.method_docs import PAGES, methods_markdown
from hnet_core.registry import METHODS
from hnet_core.training import run_trial
from sweeps import cli
from tests.hnet_core.test_contract import assert_contract
from tests.hnet_core.tiny import tiny

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture
def partition(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[type]:
    """The class in the page, known to the registry as if its file lay in hnet_core/methods."""
    (code,) = re.findall(r"```python\n(.*?)```", (DOCS / "adding_a_method.md").read_text(), flags=re.DOTALL)
    assert len([line for line in code.split("class Partition")[1].splitlines() if line.strip()]) <= 40
    path = tmp_path / "partition.py"
    path.write_text(code)
    spec = importlib.util.spec_from_file_location("partition", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "partition", module)
    spec.loader.exec_module(module)
    monkeypatch.setattr(METHODS, "_found", {**METHODS, "partition": module.Partition})
    yield module.Partition


@pytest.mark.parametrize("options", [{}, {"reuse": False}], ids=str)
def test_the_example_keeps_the_contract_and_forgets_nothing(partition: type, options: dict[str, Any]) -> None:
    config = tiny(method={"name": "partition", **options}, training={"iterations": 5})
    assert_contract(config, Path())
    result = run_trial(config, seed=0)
    assert [result.test[task][task] for task in range(5)] == list(result.test[-1])
    counts = networks(config, stream_shape(config)).counts
    assert counts.compression_ratio == 1.0
    assert counts.model_bytes == 4 * counts.target + -(-5 * counts.target // 8)


def test_the_command_line_lists_the_example_with_its_options(
    partition: type, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["hnet", "list", "methods"])
    with pytest.raises(SystemExit):
        cli.main()
    assert re.search(r"partition +each task trains its own random share.* reuse", capsys.readouterr().out)


def test_the_index_of_methods_is_up_to_date_and_every_method_has_its_page() -> None:
    index = DOCS / "methods" / "README.md"
    assert index.read_text() == methods_markdown(), "run: python -m hnet_core.method_docs > docs/methods/README.md"
    for name in METHODS:
        assert (DOCS / "methods" / f"{PAGES.get(name, name)}.md").is_file(), name


def test_every_method_says_what_it_stores() -> None:
    table = (DOCS / "compression.md").read_text()
    assert [name for name in METHODS if f"`{name}`" not in table] == []
