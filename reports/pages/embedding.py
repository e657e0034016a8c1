"""The embedding report: accuracy on each task over the plane of task embeddings."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hnet_core.errors import ConfigInvalid
from reports.data.study_data import MEASURE_WORDS
from reports.drawing.heatmap import HeatScale
from reports.formatting import significant
from reports.model_figures.embedding import (
    EmbeddingSurface,
    embedding_figure,
    finding,
    grid_rows,
    heat_scale_of,
    trained_rows,
)
from reports.pages.model_description import model_json, model_setting
from reports.pages.output_files import csv_text, write_report
from reports.pages.render import render
from reports.registry import Argument, HtmlReport, Option

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from hnet_core.trained_model import TrainedModel

PAGE = "embedding.html"
MIN_GRID = 2
Progress = Callable[[int, int, int], None]


def write(
    path: str | os.PathLike[str],
    out: Path,
    *,
    tasks: Sequence[int] = (),
    grid: int = 50,
    images: int | None = None,
    root: str | os.PathLike[str] | None = None,
    on_row: Progress | None = None,
) -> Path:
    """Write embedding.html, embedding.csv, embeddings.csv and report.json, and return the path of the page.

    Args:
        path: a model of `hnet trial export`, whose task embeddings are two-dimensional.
        tasks: which to map, from 1; empty: all.
        grid: points per axis.
        images: take so many test examples of a task; None: all.
        root: data root, see hnet_core.data.data_root.
        on_row: called with the task, and the rows done and planned.

    Raises:
        NotFound, ConfigInvalid: if there is no such model, task or grid, or its embeddings are not two-dimensional.
        HnetError: if its method has no embeddings.
        DatasetMissing, DatasetCorrupt: if the data cannot be read.
        ReportNotWritten: if the folder cannot be written.
    """
    from hnet_core.trained_model import load

    model = load(path)
    surfaces = _surfaces(model, _chosen(tasks, model.shape.n_tasks), grid, images, root, on_row)
    files = {
        "embedding.csv": csv_text([row for surface in surfaces for row in grid_rows(surface)]),
        "embeddings.csv": csv_text([row for surface in surfaces for row in trained_rows(surface)]),
    }
    heat = heat_scale_of(surfaces)
    files[PAGE] = _page(model, surfaces, heat)
    return write_report(out, PAGE, files, _summary(model, surfaces))


def _chosen(tasks: Sequence[int], n_tasks: int) -> list[int]:
    wrong = [task for task in tasks if not 1 <= task <= n_tasks]
    if wrong:
        raise ConfigInvalid(f"--task must be 1 to {n_tasks} for this model, got {wrong[0]}.")
    return sorted(set(tasks)) or list(range(1, n_tasks + 1))


def _surfaces(
    model: TrainedModel,
    tasks: Sequence[int],
    n: int,
    images: int | None,
    root: str | os.PathLike[str] | None,
    on_row: Progress | None,
) -> list[EmbeddingSurface]:
    from hnet_core.build import read_stream
    from hnet_core.evaluation.embedding_map import embedding_grid, embedding_map

    if n < MIN_GRID:
        raise ConfigInvalid(f"--grid must be at least {MIN_GRID}, got {n}.")
    embeddings = model.embeddings()
    grid = embedding_grid(embeddings, n)
    stream = read_stream(model.config, root, model.seed)
    surfaces = []
    for task in tasks:
        report_row = None if on_row is None else lambda done, task=task: on_row(task, done, n)
        found = embedding_map(model, task - 1, stream.tasks[task - 1].test, grid, images, report_row)
        surfaces.append(
            EmbeddingSurface(
                task, grid[0].double().numpy(), grid[1].double().numpy(), found.on_grid.double().numpy(),
                embeddings.double().numpy(), found.at_trained.double().numpy(), found.n_examples,
                model.shape.measure == "accuracy",
            )
        )  # fmt: skip
    return surfaces


def _page(model: TrainedModel, surfaces: Sequence[EmbeddingSurface], heat: HeatScale) -> str:
    word, hypernet = MEASURE_WORDS[model.shape.measure], model.config.hypernet
    return render(
        "embedding.html.j2",
        word=word,
        setting=model_setting(model, model.config.method.name, "" if hypernet is None else hypernet.name),
        figures=[embedding_figure(surface, heat, word) for surface in surfaces],
        heat=heat,
        significant=significant,
        config=model.config.model_dump(mode="json"),
        hash=model.config.hash(),
    )


def _summary(model: TrainedModel, surfaces: Sequence[EmbeddingSurface]) -> dict[str, Any]:
    word = MEASURE_WORDS[model.shape.measure]
    return {
        **model_json(model),
        "measure": word,
        "grid": {"points_per_axis": len(surfaces[0].first), "first": _ends(surfaces[0].first),
                 "second": _ends(surfaces[0].second)},
        "tasks": [
            {"task": one.task, "finding": finding(one, word), "at_own_embedding": one.own, "share_as_good": one.solved,
             "examples": one.n_examples, "at_trained": trained_rows(one)}
            for one in surfaces
        ],
    }  # fmt: skip


def _ends(axis: NDArray[np.float64]) -> list[float]:
    return [float(axis[0]), float(axis[-1])]


def _write_with_progress(path: Path, out: Path, **options: Any) -> Path:
    return write(path, out, on_row=_show_row, **options)


def _show_row(task: int, done: int, planned: int) -> None:
    """Print the progress of a map to stderr: on a terminal one line that is rewritten, else a line per task."""
    is_live, is_last = sys.stderr.isatty(), done == planned
    if is_live or is_last:
        start, end = ("\r", "\n" if is_last else "") if is_live else ("", "\n")
        print(f"{start}task {task}: row {done} of {planned}", end=end, file=sys.stderr, flush=True)


REPORT = HtmlReport(
    name="embedding",
    help="Which embeddings solve which task? Writes embedding.html, the maps as CSV and report.json.",
    argument=Argument("model", Path, "model with two-dimensional task embeddings, of: hnet trial export"),
    options=(
        Option("tasks", list[int], "only this task, from 1; may be given again", flag="--task"),
        Option("grid", int, "points per axis", default=50),
        Option("images", int, "test examples per task [default: all]", minimum=1),
        Option("root", Path, "folder of the data sets", flag="--data", variable="HNET_DATA"),
    ),
    write=_write_with_progress,
    reads_database=False,
    position=4,
)
