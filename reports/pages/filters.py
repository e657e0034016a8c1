"""The filters report: filters of the layers of a trained model, frozen ones and those of each task."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from reports.model_figures.filters import (
    Layer,
    TaskFilters,
    filter_figure,
    filter_rows,
    layer_files,
    layer_png,
    statistics,
)
from reports.pages.model_description import model_json, model_setting
from reports.pages.output_files import csv_text, write_report
from reports.pages.render import render
from reports.registry import FIGURES, Argument, HtmlReport, Option

if TYPE_CHECKING:
    from hnet_core.trained_model import TrainedModel

PAGE = "filters.html"
MAX_KERNELS = 64


def write(
    path: str | os.PathLike[str],
    out: Path,
    *,
    layers: Sequence[int] = (),
    tasks: Sequence[int] = (),
    kernels: int = MAX_KERNELS,
    png: bool = False,
    figures: bool = False,
) -> Path:
    """Write filters.html, layers.csv, filters.csv and report.json, and return the path of the page.

    Args:
        path: a model of `hnet trial export` whose target network has convolutions, or is an MLP on images.
        layers: which, from 1; empty: the first of each block.
        tasks: which, from 1; empty: all.
        kernels: drawn of each layer and task at most.
        png: also write a PNG for each layer.
        figures: also write publication figures; needs matplotlib.

    Raises:
        NotFound, ConfigInvalid: if there is no such model, layer or task, or its network has no filters.
        HnetError: if its method does not give the weights of a task.
        MatplotlibMissing: if figures are asked for and matplotlib is not installed.
        ReportNotWritten: if the folder cannot be written.
    """
    from hnet_core.trained_model import load

    model = load(path)
    found = _layers(model, layers, tasks)
    files: dict[str, str | bytes] = {
        "layers.csv": csv_text([row for layer in found for row in statistics(layer)]),
        "filters.csv": csv_text([row for layer in found for row in filter_rows(layer, kernels)]),
        PAGE: _page(model, found, kernels, png),
    }
    if png:
        files |= {png_name(layer): layer_png(layer, kernels) for layer in found}
    if figures:
        files |= {name: file for layer in found for name, file in layer_files(layer, kernels).items()}
    summary = {
        **model_json(model),
        "findings": [layer.finding for layer in found],
        "layers": [row for layer in found for row in statistics(layer)],
    }
    return write_report(out, PAGE, files, summary)


def png_name(layer: Layer) -> str:
    """Return the name of the PNG of a layer."""
    return f"filters-{layer.number}.png"


def _layers(model: TrainedModel, layers: Sequence[int], tasks: Sequence[int]) -> list[Layer]:
    from hnet_core.evaluation.filters import layer_filters

    return [
        Layer(
            one.layer,
            one.block,
            model.shape.n_tasks,
            [
                TaskFilters(tuple(task + 1 for task in of_tasks), weights.double().numpy(), one.cosine(0, i))
                for i, (of_tasks, weights) in enumerate(one.by_task)
            ],
        )
        for one in layer_filters(model, layers, [task - 1 for task in tasks])
    ]


def _page(model: TrainedModel, layers: Sequence[Layer], kernels: int, has_png: bool) -> str:
    return render(
        "filters.html.j2",
        setting=model_setting(model, model.config.method.name, model.config.target.name),
        figures=[(filter_figure(layer, kernels), png_name(layer) if has_png else None) for layer in layers],
        config=model.config.model_dump(mode="json"),
        hash=model.config.hash(),
    )


REPORT = HtmlReport(
    name="filters",
    help="Which filters has a model learnt, task by task? Writes filters.html, the weights as CSV and report.json.",
    argument=Argument("model", Path, "model with convolutions, or an mlp on images, of: hnet trial export"),
    options=(
        Option(
            "layers",
            list[int],
            "only this layer of those with filters, from 1; may be given again [default: the first of each block]",
            flag="--layer",
        ),
        Option("tasks", list[int], "only this task, from 1; may be given again [default: all]", flag="--task"),
        Option("kernels", int, "drawn of each layer and task at most", default=MAX_KERNELS, minimum=1),
        Option("png", bool, "also write a PNG for each layer", default=False, flag="--png"),
        FIGURES,
    ),
    write=write,
    reads_database=False,
    output=Path("filters"),
    position=5,
)
