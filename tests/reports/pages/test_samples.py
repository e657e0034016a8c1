"""The samples report: the pixels in it are those of the generator, a row for each task it has learnt."""

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
import torch
from PIL import Image
from typer.testing import CliRunner

from hnet_core import trained_model
from hnet_core.build import stream_shape
from hnet_core.generators.generator import TINY
from hnet_core.training import TrialRun
from reports.model_figures.samples import GAP, TaskSamples, samples_figure, strip
from sweeps.cli.report import app
from tests.hnet_core.tiny import tiny

VAE: dict[str, Any] = {"name": "vae", "encoder": [8], **TINY}


def saved(folder: Path, **changes: Any) -> Path:
    config = tiny(**{"training": {"iterations": 2}, **changes})
    run = TrialRun(config, seed=0)
    while not run.finished:
        report = run.train_task()
    trained_model.save(folder / "model.pt", config, stream_shape(config), report.checkpoint)
    return folder / "model.pt"


def drawn(address: str) -> np.ndarray[Any, Any]:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(address))))


def test_the_command_draws_the_samples_of_every_task_but_the_last(tmp_path: Path) -> None:
    model, out = saved(tmp_path, method={"name": "hnet_replay", "generator": VAE}), tmp_path / "out"
    done = CliRunner().invoke(app, ["samples", str(model), "-o", str(out), "--samples", "3", "--png"])
    assert done.exit_code == 0, done.output
    page = (out / "samples.html").read_text()
    strips = [drawn(each) for each in re.findall(r'href="data:image/png;base64,([^"]+)"', page)]
    samples = trained_model.load(model).samples(3)
    assert len(strips) == len(samples) == 4
    for pixels, of_task in zip(strips, samples, strict=True):
        assert pixels.shape == (8, 3 * 8 + 2 * GAP)
        third = (255 * of_task[2].view(8, 8)).round().byte().numpy()
        assert np.array_equal(pixels[:, -8:], third)
    rows = list(csv.DictReader((out / "samples.csv").open()))
    assert [row["task"] for row in rows] == ["task 1", "task 2", "task 3", "task 4"]
    assert Image.open(out / "samples.png").size == (2 * (3 * 8 + 2 * GAP), 2 * (4 * 8 + 3 * GAP))
    assert "samples.png" in json.loads((out / "report.json").read_text())["files"]


def test_the_generator_of_task_inference_is_sampled_as_it_was_trained(tmp_path: Path) -> None:
    model = saved(tmp_path, method={"name": "hnet"}, task_inference={"name": "network", "generator": VAE})
    network = trained_model.load(model)
    content = torch.load(model, weights_only=True)
    assert torch.equal(
        network._inference.state()["generator"]["encoder"]["flat"],  # type: ignore[union-attr]
        content["task_inference"]["generator"]["encoder"]["flat"],
    )
    assert [len(each) for each in network.samples(2)] == [2, 2, 2, 2]


def test_one_generator_for_all_tasks_has_one_row(tmp_path: Path) -> None:
    plain = {"name": "vae", "encoder": [8], "decoder": [6]}
    model = saved(tmp_path, method={"name": "generative_replay", "generator": plain})
    done = CliRunner().invoke(app, ["samples", str(model), "-o", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    assert "10 samples of all tasks together" in (tmp_path / "out" / "samples.html").read_text()


def test_a_model_without_a_generator_is_refused(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["samples", str(saved(tmp_path)), "-o", str(tmp_path / "out")])
    assert done.exit_code == 1
    assert "method hnet has no generator to sample from" in str(done.exception)


@pytest.mark.parametrize("channels", [(), (3,)])
def test_images_stand_side_by_side_with_white_gaps(channels: tuple[int, ...]) -> None:
    images = np.zeros((2, 4, 5, *channels))
    images[1] = 1.5  # cut to 1
    pixels = strip(images)
    assert pixels.shape == (4, 2 * 5 + GAP, *channels)
    assert (pixels[:, :5] == 0).all() and (pixels[:, 5:] == 255).all()


def test_the_finding_names_the_task_whose_samples_are_alike() -> None:
    draws = np.random.default_rng(0)
    rows = [TaskSamples(1, draws.random((4, 3, 3))), TaskSamples(2, np.full((4, 3, 3), 0.5))]
    assert "they vary least for task 2, by 0 a pixel" in samples_figure(rows, "").finding
