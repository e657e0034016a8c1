"""The embedding map as a page: cells on the right side, every trained embedding marked, numbers beside it."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from reports.model_figures.embedding import EmbeddingSurface, embedding_figure, finding, heat_scale_of
from sweeps.cli.report import app
from tests.hnet_core.evaluation.test_embedding_map import trained


def surface(task: int = 2) -> EmbeddingSurface:
    """Solved to the right of the second axis; embedding 1 lies left, 2 and 3 right."""
    axis = np.linspace(-1.0, 1.0, 5)
    values = np.tile(np.where(axis > 0, 0.98, 0.5), (5, 1))
    places = np.array([[-0.5, 0.0], [0.5, 0.5], [0.5, -0.5]])
    return EmbeddingSurface(task, axis, axis, values, places, np.array([0.5, 0.98, 0.975]), 100, True)


def test_the_finding_names_the_area_and_whose_embeddings_lie_in_it() -> None:
    assert finding(surface(), "accuracy") == (
        "Task 2: accuracy 0.9800 at its own embedding, and within one point of it in 40 % of the area, "
        "the embedding of task 3 included."
    )


def test_high_values_are_drawn_where_they_are() -> None:
    drawing = embedding_figure(surface(), heat_scale_of([surface()]), "accuracy").drawings[0][1]
    (best,) = re.findall(r'<path d="([^"]*)" class="heat-9"', drawing)
    (worst,) = re.findall(r'<path d="([^"]*)" class="heat-0"', drawing)
    left = {float(x) for x in re.findall(r"M([\d.]+) ", best)}
    assert len(left) == 1
    assert left.pop() > max(float(x) for x in re.findall(r"M([\d.]+) ", worst))
    assert drawing.count('class="embedding"') == 2
    assert drawing.count('class="embedding own"') == 1


def test_the_first_row_of_the_grid_is_drawn_at_the_bottom() -> None:
    one = surface()
    values = np.full((5, 5), 0.5)
    values[0, 0] = 0.98  # smallest first and second number
    flipped = EmbeddingSurface(2, one.first, one.second, values, one.embeddings, one.at_trained, 100, True)
    drawing = embedding_figure(flipped, heat_scale_of([flipped]), "accuracy").drawings[0][1]
    (corner,) = re.findall(r'<path d="M([^h]*)h[^"]*" class="heat-9"', drawing)
    x, y = (float(number) for number in corner.split())
    assert x == 50
    assert y > 300


def test_the_command_writes_page_numbers_and_summary(tmp_path: Path) -> None:
    trained(tmp_path, hypernet={"task_embedding": 2})
    given = ["embedding", str(tmp_path / "model.pt"), "-o", str(tmp_path / "out"), "--task", "2", "--grid", "4"]
    done = CliRunner().invoke(app, given)
    assert done.exit_code == 0, done.output
    assert "task 2: row 4 of 4" in done.stderr
    rows = list(csv.DictReader((tmp_path / "out" / "embedding.csv").open()))
    assert len(rows) == 16
    assert {row["task"] for row in rows} == {"2"}
    content = json.loads((tmp_path / "out" / "report.json").read_text())
    assert [one["task"] for one in content["tasks"]] == [2]
    assert len(content["tasks"][0]["at_trained"]) == 5
    html = (tmp_path / "out" / "embedding.html").read_text()
    assert content["tasks"][0]["finding"].replace("'", "&#39;") in html
    assert CliRunner().invoke(app, given).exit_code == 0
    assert (tmp_path / "out" / "embedding.html").read_text() == html


@pytest.mark.parametrize(
    ("more", "says"),
    [(["--task", "6"], "--task must be 1 to 5 for this model, got 6"), (["--grid", "1"], "--grid must be at least 2")],
)
def test_what_cannot_be_mapped_is_refused(more: list[str], says: str, tmp_path: Path) -> None:
    trained(tmp_path, hypernet={"task_embedding": 2}, training={"iterations": 1})
    done = CliRunner().invoke(app, ["embedding", str(tmp_path / "model.pt"), "-o", str(tmp_path / "out"), *more])
    assert done.exit_code != 0
    assert says in str(done.exception)
    assert not (tmp_path / "out").exists()
