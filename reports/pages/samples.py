"""The samples report: images that the generator of a trained model samples for each task."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from hnet_core.errors import ConfigInvalid
from reports.model_figures.samples import TaskSamples, finding, grid_png, samples_figure, statistics
from reports.pages.model_description import model_json, model_setting
from reports.pages.output_files import csv_text, write_report
from reports.pages.render import render
from reports.registry import Argument, HtmlReport, Option

if TYPE_CHECKING:
    from hnet_core.trained_model import TrainedModel

PAGE = "samples.html"
PNG_FILE = "samples.png"


def write(path: str | os.PathLike[str], out: Path, *, samples: int = 10, seed: int = 0, png: bool = False) -> Path:
    """Write samples.html, samples.csv and report.json, and return the path of the page.

    Args:
        path: a model of `hnet trial export`, whose method or task inference rehearses from a generator.
        samples: images of each task.
        seed: of the noise they are made from.
        png: also write the grid as samples.png.

    Raises:
        NotFound, ConfigInvalid: if there is no such model.
        HnetError: if it has no generator.
        ReportNotWritten: if the folder cannot be written.
    """
    from hnet_core.trained_model import load

    model = load(path)
    rows = _rows(model, samples, seed)
    files: dict[str, str | bytes] = {"samples.csv": csv_text(statistics(rows)), PAGE: _page(model, rows, seed, png)}
    if png:
        files[PNG_FILE] = grid_png(rows)
    summary = {
        **model_json(model),
        "noise_seed": seed,
        "finding": finding(rows),
        "tasks": statistics(rows),
    }
    return write_report(out, PAGE, files, summary)


def _rows(model: TrainedModel, n: int, seed: int) -> list[TaskSamples]:
    found = model.samples(n, seed)
    shape = model.shape.input_shape
    if len(shape) not in (2, 3):
        raise ConfigInvalid(f"samples must be images to be shown, got inputs of shape {shape}.")
    images = [sample.double().numpy().reshape(n, *shape) for sample in found]
    several = len(images) > 1 or model.shape.n_tasks == 2
    return [TaskSamples(task + 1 if several else None, each) for task, each in enumerate(images)]


def _page(model: TrainedModel, rows: list[TaskSamples], seed: int, has_png: bool) -> str:
    caption = (
        f"Samples of the generator after the last task, from noise of seed {seed}; no generator learns the last task."
    )
    if model.config.stream.name == "permuted":
        caption += " The pixels are in the permuted order of their task."
    config, inference = model.config, model.config.task_inference
    with_inference = "" if inference is None else f"with task inference {inference.name}"
    return render(
        "samples.html.j2",
        setting=model_setting(model, config.method.name, with_inference, f"· scenario {config.scenario}"),
        figure=samples_figure(rows, caption),
        png=PNG_FILE if has_png else None,
        config=config.model_dump(mode="json"),
        hash=config.hash(),
    )


REPORT = HtmlReport(
    name="samples",
    help="What does a generator sample for each task? Writes samples.html, samples.csv and report.json.",
    argument=Argument(
        "model", Path, "model that rehearses from a generator, of: hnet trial export, or trial run --save"
    ),
    options=(
        Option("samples", int, "images of each task", default=10, minimum=1),
        Option("seed", int, "of the noise that the samples are made from", default=0, minimum=0),
        Option("png", bool, "also write the grid as samples.png", default=False, flag="--png"),
    ),
    write=write,
    reads_database=False,
    output=Path("samples"),
    position=5,
)
