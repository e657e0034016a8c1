"""Figure for papers of one configuration task by task."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from reports.data.study_data import StudyData
from reports.data.task_matrices import TaskMatrix
from reports.drawing.publication import BLUE, VERMILLION, publication_files

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def task_figures(data: StudyData, matrix: TaskMatrix) -> dict[str, bytes]:
    """Draw during and final per task of one configuration; return files by name."""
    return publication_files("tasks", lambda figure: _draw(figure.add_subplot(), data, matrix), aspect=0.62)


def _draw(axes: Axes, data: StudyData, matrix: TaskMatrix) -> None:
    from matplotlib.ticker import MaxNLocator

    tasks = list(range(1, matrix.n_tasks + 1))
    for label, colour, marker, cells in (
        ("during", VERMILLION, "s", [matrix.during(task) for task in tasks]),
        ("final", BLUE, "o", [matrix.final(task) for task in tasks]),
    ):
        known = [(task, cell) for task, cell in zip(tasks, cells, strict=True) if cell.mean is not None]
        means = [cell.mean or 0.0 for _, cell in known]
        axes.plot([task for task, _ in known], means, color=colour, marker=marker, ms=2.5, label=label)
        clip = (0.0, 1.0) if data.quality.higher_is_better else (-math.inf, math.inf)
        low = [m if c.low is None else max(c.low, clip[0]) for m, (_, c) in zip(means, known, strict=True)]
        high = [m if c.high is None else min(c.high, clip[1]) for m, (_, c) in zip(means, known, strict=True)]
        axes.fill_between([task for task, _ in known], low, high, color=colour, alpha=0.18, linewidth=0)
    axes.set_xlabel("task")
    axes.set_ylabel(data.quality.word)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(loc="best")
