"""Figures for papers of the progress of a search over its trials and its time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from reports.analysis.search_progress import SearchProgress
from reports.drawing.publication import BLUE, publication_files, set_value_axis
from reports.figures.search_progress import value_scale, views_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def progress_files(progress: Sequence[SearchProgress]) -> dict[str, bytes]:
    """Draw a row for the hypervolume, or for each objective; return files by name."""
    if not progress:
        return {}
    return publication_files("progress", lambda figure: _draw(figure, progress), aspect=0.1 + 0.36 * len(progress))


def _draw(figure: Figure, every: Sequence[SearchProgress]) -> None:
    views = [views_of(progress) for progress in every]
    grid = figure.subplots(len(every), len(views[0]), squeeze=False, sharey="row")
    for row, progress, of_row in zip(grid, every, views, strict=True):
        for axes, (_, at, label) in zip(row, of_row, strict=True):
            if progress.of_each is not None:
                axes.scatter(at, progress.of_each, s=3, color=BLUE, alpha=0.4, linewidths=0)
            reached = [*progress.values, progress.values[-1]]
            axes.step([*at[progress.steps - 1], at[-1]], reached, where="post", color=BLUE)
            set_value_axis(axes, value_scale(progress))
            axes.set_xlabel(label)
            axes.set_xlim(left=0)
        row[0].set_ylabel(progress.label)
