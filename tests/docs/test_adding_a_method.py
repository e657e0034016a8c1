"""The examples of docs/adding_a_method.md keep the contract unchanged, and every list of components includes them."""

from __future__ import annotations

import re
import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
import torch

import hnet_core
from hnet_core import trained_model
from hnet_core.build import networks, stream_shape
from hnet_core.method_docs import methods_markdown
from hnet_core.registry import GENERATORS, METHODS, TASK_INFERENCE
from hnet_core.training import run_trial
from sweeps import cli
from tests.docs.conftest import DOCS, AddFile, examples
from tests.hnet_core.test_contract import assert_contract, combined, impossible
from tests.hnet_core.tiny import tiny

INDEX = DOCS / "methods" / "README.md"
LINK = re.compile(r"\[More\]\((.*?)\)")


@pytest.fixture
def partition(add_file: AddFile) -> Any:
    """The method of the guide, in a file of hnet_core/methods."""
    code = examples()["Partition"]
    assert len([line for line in code.split("class Partition")[1].splitlines() if line.strip()]) <= 40
    return add_file("hnet_core.methods", "partition", code)


@pytest.mark.parametrize("options", [{}, {"reuse": False}], ids=str)
def test_the_example_keeps_the_contract_and_forgets_nothing(partition: Any, options: dict[str, Any]) -> None:
    assert options in partition.tested_options
    config = tiny(method={"name": "partition", **options}, training={"iterations": 5})
    assert_contract(config, Path())
    result = run_trial(config, seed=0)
    assert [result.test[task][task] for task in range(5)] == list(result.test[-1])
    counts = networks(config, stream_shape(config)).counts
    assert counts.compression_ratio == 1.0
    assert counts.model_bytes == 4 * counts.target + -(-5 * counts.target // 8)


def test_an_exported_example_has_the_weights_of_each_task(partition: Any, tmp_path: Path) -> None:
    config = tiny(method={"name": "partition", "reuse": False}, training={"iterations": 2})
    checkpoints: list[Any] = []
    run_trial(config, seed=0, on_task=lambda report: checkpoints.append(report.checkpoint))
    trained_model.save(tmp_path / "model.pt", config, stream_shape(config), checkpoints[-1])
    model, inputs = hnet_core.load(tmp_path / "model.pt"), torch.ones(3, 64)
    shares = [model.weights(task) != 0 for task in range(5)]
    assert torch.stack(shares).sum(dim=0).max() == 1, "every weight belongs to one task at most"
    target = networks(config, model.shape).target
    outputs = target.forward(inputs, model.weights(1))[:, model.shape.head(1)]
    torch.testing.assert_close(model.predict(1, inputs), outputs)


def test_the_command_line_lists_the_example_with_its_options(
    partition: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    output = listed("methods", monkeypatch, capsys)
    assert re.search(r"partition +each task trains its own random share.* reuse", output)


def test_the_index_of_methods_is_up_to_date_and_every_method_has_its_page() -> None:
    assert INDEX.read_text() == methods_markdown(), "run: python -m hnet_core.method_docs > docs/methods/README.md"
    pages = [f"{method.page}.md" for method in METHODS.built_in.values()]
    assert LINK.findall(INDEX.read_text()) == pages
    others = [*TASK_INFERENCE.built_in.values(), *GENERATORS.built_in.values()]
    of_others = {f"{component.page}.md" for component in others}
    assert {path.name for path in INDEX.parent.iterdir()} == {INDEX.name, *pages, *of_others}


def test_every_method_says_what_it_stores() -> None:
    table = methods_markdown().split("## Stored weights")[1]
    rows = {line.split("`")[1]: line.split(" | ") for line in table.splitlines() if line.startswith("| `")}
    assert list(rows) == list(METHODS.built_in)
    for name, (_, target, model, *_others) in rows.items():
        assert int(target.replace(",", "")) > 0 < int(model.replace(",", "")), name


def test_a_new_method_needs_no_page_and_enters_the_index_by_the_command_alone(partition: Any) -> None:
    new = methods_markdown()
    assert "## `partition`\n\nEach task trains its own random share of one network's weights.\n\n| option" in new
    assert "| `partition` | 478,410 | 478,410 | 0 | 2,392,050 |" in new, "its stored weights, mask bits included"
    before = INDEX.read_text().splitlines()
    assert [line for line in before if line not in new.splitlines()] == []
    assert LINK.findall(new) == LINK.findall(INDEX.read_text())


def test_a_method_of_another_package_needs_no_documentation_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my_partition.py").write_text(examples()["Partition"])
    monkeypatch.syspath_prepend(str(tmp_path))
    entry = EntryPoint("partition", "my_partition:Partition", "hnet.methods")
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: [entry] if group == entry.group else [])
    monkeypatch.setattr(METHODS, "_found", None)
    assert "partition" in METHODS and "partition" not in METHODS.built_in
    assert methods_markdown() == INDEX.read_text()


def test_a_stream_is_added_by_one_file_and_every_method_keeps_the_contract_on_it(
    add_file: AddFile, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    add_file("hnet_core.streams", "rotated", examples()["Rotated streams"])
    for method in METHODS.built_in:
        config = combined({"name": method}, "rotated", "task", "mlp")
        assert impossible(config, Path()) is None
        assert_contract(config, Path())
    output = listed("streams", monkeypatch, capsys)
    assert re.search(r"rotated +the whole data set, turned by a further quarter", output)


def listed(kind: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    """Return the output of `hnet list KIND`."""
    monkeypatch.setattr(sys, "argv", ["hnet", "list", kind])
    with pytest.raises(SystemExit):
        cli.main()
    return capsys.readouterr().out


def test_the_paths_of_an_earlier_guide_still_hold_what_a_method_imports() -> None:
    from hnet_core import problem
    from hnet_core.methods import method, weights
    from hnet_core.weights import sources

    assert (method.Problem, method.Predictor) == (problem.Problem, problem.Predictor)
    assert (weights.OwnWeights, weights.shared_counts) == (sources.OwnWeights, sources.shared_counts)
    assert callable(problem.Problem.adam)
