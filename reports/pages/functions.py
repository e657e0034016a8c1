"""The functions report: what trained models have learnt of regressions in one dimension."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hnet_core.errors import ConfigInvalid
from reports.drawing.marks import GLYPHS
from reports.model_figures.functions import (
    ModelFunctions,
    TaskFunction,
    axes_of,
    error_rows,
    error_table,
    function_figure,
    function_files,
    function_rows,
)
from reports.pages.model_description import model_json
from reports.pages.output_files import csv_text, write_report
from reports.pages.render import render
from reports.registry import FIGURES, Argument, HtmlReport, Option

if TYPE_CHECKING:
    from hnet_core.trained_model import TrainedModel

PAGE = "functions.html"
MAX_MODELS = 6


def write(
    paths: Sequence[str | os.PathLike[str]],
    out: Path,
    *,
    root: str | os.PathLike[str] | None = None,
    figures: bool = False,
) -> Path:
    """Write functions.html, functions.csv and report.json, and return the path of the page.

    Args:
        paths: models of `hnet trial export`, trained on regressions with one input and one output.
        root: data root, see hnet_core.data.data_root.
        figures: also write publication figures; needs matplotlib.

    Raises:
        NotFound, ConfigInvalid: if there is no such model, it is no such regression, or there are too many.
        MatplotlibMissing: if figures are asked for and matplotlib is not installed.
        ReportNotWritten: if the folder cannot be written.
    """
    from hnet_core.trained_model import load

    if len(paths) > MAX_MODELS:
        raise ConfigInvalid(f"one page shows at most {MAX_MODELS} models, got {len(paths)}; name fewer.")
    models = [load(path) for path in paths]
    found = [_functions(i, model, _label(model, models, i), root) for i, model in enumerate(models)]
    files: dict[str, str | bytes] = {
        "functions.csv": csv_text([row for model in found for row in function_rows(model)]),
        PAGE: _page(models, found),
    }
    if figures:
        files |= function_files(found)
    summary = {
        "models": [
            {"label": one.label, **model_json(model), "tasks": error_rows(one)}
            for model, one in zip(models, found, strict=True)
        ]
    }
    return write_report(out, PAGE, files, summary)


def _functions(index: int, model: TrainedModel, label: str, root: str | os.PathLike[str] | None) -> ModelFunctions:
    from hnet_core.build import read_stream
    from hnet_core.evaluation.learned_functions import check_regression, learned_functions

    check_regression(model)  # before its data are read
    tasks = [
        TaskFunction(
            one.task + 1, one.inputs.numpy(), one.targets.numpy(), one.outputs.numpy(), one.train_inputs.numpy(),
            one.train_targets.numpy(),
        )
        for one in learned_functions(model, read_stream(model.config, root, model.seed))
    ]  # fmt: skip
    return ModelFunctions(index, label, tasks)


def _label(model: TrainedModel, models: Sequence[TrainedModel], index: int) -> str:
    """Name a model by its method, with its place among several of that method."""
    name = model.config.method.name
    return name if [one.config.method.name for one in models].count(name) == 1 else f"{index + 1}: {name}"


def _page(models: Sequence[TrainedModel], found: Sequence[ModelFunctions]) -> str:
    ranges = axes_of(found)
    return render(
        "functions.html.j2",
        title=", ".join(model.label for model in found),
        findings=[model.finding for model in found],
        figures=[function_figure(model, ranges) for model in found],
        tasks=max((model.tasks for model in found), key=len),
        table=error_table(found),
        glyphs=GLYPHS,
        configs=[
            (one.label, model.seed, model.config.hash(), model.config.model_dump(mode="json"))
            for one, model in zip(found, models, strict=True)
        ],
    )


REPORT = HtmlReport(
    name="functions",
    help="Which functions has a model learnt of a 1-D regression? Writes functions.html, a CSV and report.json.",
    argument=Argument("models", list[Path], "models trained on stream polynomials, of: hnet trial export"),
    options=(
        Option("root", Path, "folder of the data sets", flag="--data", variable="HNET_DATA"),
        FIGURES,
    ),
    write=write,
    reads_database=False,
    output=Path("functions"),
    position=5,
)
