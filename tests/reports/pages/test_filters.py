"""The filters report: each weight is a pixel of its shade, all tasks have one scale, the CSV has the weights drawn."""

from __future__ import annotations

import base64
import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from hnet_core import trained_model
from reports.model_figures.filters import Layer, TaskFilters, caption, filter_figure, layer_grids, layer_png, shown
from reports.pages.filters import write
from sweeps.cli.report import app
from tests.hnet_core.evaluation.test_filters import CONVOLUTIONS
from tests.hnet_core.evaluation.test_learned_functions import saved

Pixels = np.ndarray[Any, Any]


def layer(n_filters: int, n_channels: int, *sizes: float) -> Layer:
    """Kernels of 2 x 2 with one weight of each size, the last one negative, an entry for each size."""
    entries = []
    for i, size in enumerate(sizes):
        weights = np.zeros((n_filters, n_channels, 2, 2))
        weights[..., 0, 0], weights[..., 1, 1] = size, -size
        entries.append(TaskFilters((i + 1,), weights, 1.0 if i == 0 else 0.5))
    return Layer(3, 2, len(sizes), entries)


def drawn(address: str) -> Pixels:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(address))))


def test_zero_is_grey_and_all_tasks_share_the_scale() -> None:
    one, other = layer_grids(layer(1, 1, 1.0, 0.5), 64)
    assert one.shape == (2, 2, 4)
    assert one[..., 0].tolist() == [[255, 128], [128, 0]]
    assert other[..., 0].tolist() == [[191, 128], [128, 64]]
    assert (one[..., 3] == 255).all()


def test_one_filter_a_row_and_one_channel_a_column_with_nothing_between() -> None:
    shape = layer(5, 4, 1.0)
    (grid,) = layer_grids(shape, 12)
    assert shown(shape, 12) == (3, 4)
    assert grid.shape == (3 * 3 - 1, 4 * 3 - 1, 4)
    assert (grid[2::3, :, 3] == 0).all()
    assert (grid[:, 2::3, 3] == 0).all()
    assert grid[..., 3].astype(bool).sum() == 3 * 4 * 4
    assert "The first 3 of 5 filters are drawn." in caption(shape, 12)


def test_three_channels_are_a_colour() -> None:
    weights = np.zeros((1, 3, 1, 1))
    weights[0, :, 0, 0] = (1.0, 0.0, -1.0)
    (grid,) = layer_grids(Layer(1, 1, 1, [TaskFilters((1,), weights, 1.0)]), 64)
    assert grid.tolist() == [[[255, 128, 0, 255]]]


def test_a_layer_of_zeros_is_grey() -> None:
    (grid,) = layer_grids(layer(2, 1, 0.0), 64)
    assert set(grid[grid[..., 3] == 255][:, 0].tolist()) == {128}


def test_the_finding_says_whether_tasks_share_the_filters() -> None:
    weights = np.ones((2, 1, 3, 3))
    shared = Layer(1, 1, 3, [TaskFilters((1, 2, 3), weights, 1.0)])
    assert shared.finding == "Layer 1, block 1: 2 filters of 3 x 3 on 1 channel, the same for all tasks."
    assert layer(2, 1, 1.0, 0.5).finding.endswith("cosine with those of task 1: task 2 0.5000.")


def test_the_command_draws_each_layer_and_writes_its_weights(tmp_path: Path) -> None:
    path, out = saved(tmp_path, **CONVOLUTIONS), tmp_path / "out"
    chosen = ["--layer", "1", "--layer", "6", "--task", "1", "--task", "2"]
    done = CliRunner().invoke(app, ["filters", str(path), "-o", str(out), *chosen, "--png"])
    assert done.exit_code == 0, done.output
    model = trained_model.load(path)
    page = (out / "filters.html").read_text()
    images = [drawn(each) for each in re.findall(r'href="data:image/png;base64,([^"]+)"', page)]
    assert len(images) == 1 + 2, "a frozen layer once, one of two tasks twice"
    with (out / "filters.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    first = model.weights(0)[: 3 * 3 * 9].view(9, 9).numpy()
    frozen = [row for row in rows if row["layer"] == "1"]
    assert [row["tasks"] for row in frozen] == [frozen[0]["tasks"]] * 9
    for row, weights in zip(frozen, first, strict=True):
        assert np.array(json.loads(row["weights"]), dtype=np.float32).tolist() == weights.tolist()
    summary = json.loads((out / "report.json").read_text())
    assert {"filters-1.png", "filters-6.png", "layers.csv"} <= set(summary["files"])
    assert Image.open(out / "filters-1.png").size[0] % 8 == 0


def test_the_picture_is_the_grids_below_each_other() -> None:
    shape = layer(2, 1, 1.0, 0.5)
    picture = np.asarray(Image.open(io.BytesIO(layer_png(shape, 64))))
    grids = layer_grids(shape, 64)
    assert picture.shape == (8 * (2 + 2 + 2), 8 * 5, 4)
    assert (picture[::8, ::8][:2] == grids[0]).all()
    assert (picture[::8, ::8][4:] == grids[1]).all()
    assert "image" in filter_figure(shape, 64).drawings[0][1]


@pytest.mark.slow
def test_figures_for_papers_are_written_for_each_layer(tmp_path: Path) -> None:
    write(saved(tmp_path, **CONVOLUTIONS), tmp_path / "out", layers=[6], tasks=[1, 2], figures=True)
    assert (tmp_path / "out" / "filters-6-column.pdf").read_bytes().startswith(b"%PDF")
    assert (tmp_path / "out" / "filters-6-text.png").stat().st_size > 2_000
