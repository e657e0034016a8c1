"""The functions report: a panel for each model on shared axes, every point in the CSV, and what goes beyond is said."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from hnet_core.errors import ConfigInvalid
from reports.model_figures.functions import ModelFunctions, TaskFunction, axes_of, function_figure
from reports.pages.functions import MAX_MODELS, write
from sweeps.cli.report import app
from tests.hnet_core.evaluation.test_learned_functions import REGRESSION, saved
from tests.reports.reading import read


def model(error: float, index: int = 0) -> ModelFunctions:
    """Two straight lines, the second learnt too high by `error`."""
    x = np.linspace(0.0, 1.0, 50)
    lines = [TaskFunction(1, x, x, x, x, x), TaskFunction(2, x + 1, x + 1, x + 1 + error, x + 1, x + 1)]
    return ModelFunctions(index, "hnet", lines)


def test_the_command_writes_every_point_of_two_models(tmp_path: Path) -> None:
    path, out = saved(tmp_path, **REGRESSION), tmp_path / "out"
    done = CliRunner().invoke(app, ["functions", str(path), str(path), "-o", str(out)])
    assert done.exit_code == 0, done.output
    with (out / "functions.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * 3 * 200
    summary = json.loads((out / "report.json").read_text())["models"]
    assert [one["label"] for one in summary] == ["1: hnet", "2: hnet"]
    for task in summary[0]["tasks"]:
        of_task = [row for row in rows if row["model"] == "1: hnet" and row["task"] == str(task["task"])]
        error = np.mean([(float(row["output"]) - float(row["target"])) ** 2 for row in of_task])
        assert task["final_mse"] == pytest.approx(error)
    page = read((out / "functions.html").read_text())
    assert {"functions-0", "functions-1"} <= {str(one.get("id")) for one in page.all("svg")}
    assert page.rows["errors-0"][1] == "1"


def test_targets_and_functions_are_drawn_where_they_are() -> None:
    shown = model(0.5)
    x, y = axes_of([shown])
    drawing = str(function_figure(shown, (x, y)).drawings[0][1])
    lines = re.findall(r'<path d="M([^"]*)" class="(?:target-line|family-\d-line whole)"', drawing)
    ends = [line.split("L")[-1] for line in lines]
    wanted = [(1.0, 1.0), (1.0, 1.0), (2.0, 2.0), (2.0, 2.5)]
    for end, (at, height) in zip(ends, wanted, strict=True):
        assert list(map(float, end.split())) == pytest.approx([x(at), y(height)], abs=0.06)


def test_a_function_far_from_all_targets_is_cut_off_and_the_caption_says_so() -> None:
    good, bad = model(0.1), model(100.0, 1)
    ranges = axes_of([good, bad])
    assert ranges[1].domain[1] < 4
    assert "goes on beyond it" in function_figure(bad, ranges).caption
    assert "goes on beyond it" not in function_figure(good, ranges).caption


def test_tasks_beyond_the_number_of_marks_are_drawn_too() -> None:
    one = model(0.0).tasks[0]
    many = ModelFunctions(0, "hnet", [replace(one, task=task) for task in range(1, 12)])
    assert "family-2-line" in str(function_figure(many, axes_of([many])).drawings[0][1])


def test_a_classifier_is_refused_before_its_data_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved(tmp_path)
    monkeypatch.setattr("hnet_core.build.read_stream", lambda *_: pytest.fail("the data were read"))
    with pytest.raises(ConfigInvalid, match="regression with one input and one output"):
        write([path], tmp_path / "out")


def test_too_many_models_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigInvalid, match=f"at most {MAX_MODELS} models, got 7"):
        write(["model.pt"] * 7, tmp_path)


@pytest.mark.slow
def test_figures_for_papers_have_a_panel_for_each_model(tmp_path: Path) -> None:
    path = saved(tmp_path, **REGRESSION)
    write([path, path], tmp_path / "out", figures=True)
    assert (tmp_path / "out" / "functions-text.pdf").read_bytes().startswith(b"%PDF")
    assert (tmp_path / "out" / "functions-column.svg").read_text().count('<g id="axes_') == 2
