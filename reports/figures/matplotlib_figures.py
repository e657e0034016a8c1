"""Figures for papers of the trade-off, of the tasks of one configuration, and of a comparison."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from reports.data.study_data import StudyData
from reports.data.task_matrices import TaskMatrix
from reports.data.trial import Trial
from reports.drawing.cost_scale import cost_scale, with_reference
from reports.drawing.forest_plot import ForestLine
from reports.drawing.publication import BLUE, GREEN, GREY, VERMILLION, publication_files, set_axis
from reports.figures.quality_axis import interval_ends, quality_scale
from reports.formatting import told_apart

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = {"better": GREEN, "worse": VERMILLION, "same": BLUE, "unknown": GREY}
MARKERS = {"better": "o", "worse": "s", "same": "o", "unknown": "."}


def tradeoff_figures(data: StudyData) -> dict[str, bytes]:
    """Draw quality against cost with the front; return files by name."""
    return _files("tradeoff", lambda axes: _tradeoff(axes, data), aspect=0.72)


def task_figures(data: StudyData, matrix: TaskMatrix) -> dict[str, bytes]:
    """Draw during and final per task of one configuration; return files by name."""
    return _files("tasks", lambda axes: _tasks(axes, data, matrix), aspect=0.62)


def comparison_figures(lines: Sequence[ForestLine], label: str, margin: float | None) -> dict[str, bytes]:
    """Draw differences with their intervals; return files by name.

    Args:
        label: what the x axis shows.
    """
    height = 0.16 + 0.06 * len(lines)
    return _files("comparison", lambda axes: _forest(axes, lines, label, margin), aspect=height)


def _files(name: str, draw: Callable[[Axes], None], aspect: float) -> dict[str, bytes]:
    return publication_files(name, lambda figure: draw(figure.add_subplot()), aspect)


def _tradeoff(axes: Axes, data: StudyData) -> None:
    quality = data.quality
    front, others = data.front, [t for t in data.configurations if t.number not in data.on_front]
    axes.scatter([data.cost(t) for t in others], [t.value(quality.final) for t in others], s=5, color=BLUE, alpha=0.35,
                 linewidths=0, label="other")  # fmt: skip
    if front:
        axes.errorbar(*_with_intervals(data, front), fmt="o", ms=3, color=BLUE, lw=0.7, label="final, front")
        known = [t for t in front if t.mean(quality.during) is not None]  # not of one that trains all tasks at once
        axes.scatter([data.cost(t) for t in known], [t.value(quality.during) for t in known], s=9, marker="s", lw=0,
                     color=VERMILLION, label="during, front")  # fmt: skip
        if data.front_is_tradeoff:
            values = [t.value(quality.final) for t in front]
            axes.step([data.cost(t) for t in front], values, where="post", color="black", lw=0.8)
    if data.x.reference is not None:
        axes.axvline(data.x.reference[0], color=GREY, lw=0.6, ls=(0, (4, 3)))
    set_axis(axes, "x", cost_scale(data.x, with_reference(data.x, data.cost_ends), (0.0, 1.0)))
    ends = interval_ends(trial[quality.final] for trial in front)
    axes.set_ylim(*quality_scale(quality, data.mean_range, (0.0, 1.0), ends).domain)
    axes.set_xlabel(f"{data.x.name} ({data.x.unit})" if data.x.unit else data.x.name)
    axes.set_ylabel(quality.word)
    axes.legend(loc="lower right" if quality.higher_is_better else "upper right")


def _with_intervals(data: StudyData, trials: Sequence[Trial]) -> tuple[list[float], list[float], list[list[float]]]:
    """Return cost, final measure and the lengths of the bars below and above."""
    metric = data.quality.final
    means = [trial.value(metric) for trial in trials]
    intervals = [trial[metric] for trial in trials]
    below = [0.0 if one.low is None else mean - one.low for one, mean in zip(intervals, means, strict=True)]
    above = [0.0 if one.high is None else one.high - mean for one, mean in zip(intervals, means, strict=True)]
    return [data.cost(trial) for trial in trials], means, [below, above]


def _tasks(axes: Axes, data: StudyData, matrix: TaskMatrix) -> None:
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


def _forest(axes: Axes, lines: Sequence[ForestLine], label: str, margin: float | None) -> None:
    if margin is not None:
        axes.axvspan(-margin, margin, color=GREEN, alpha=0.12, lw=0)
    axes.axvline(0.0, color="black", lw=0.6)
    for i, line in enumerate(lines):
        if line.low is not None and line.high is not None:
            axes.plot([line.low, line.high], [i, i], color=GREY, lw=0.9)
        axes.plot([line.value], [i], MARKERS[line.verdict], color=COLOURS[line.verdict], ms=4)
    labels = [line.label if isinstance(line.label, str) else " − ".join(line.label) for line in lines]
    names = told_apart(labels, 40)
    axes.set_yticks(range(len(lines)), [names[label] for label in labels])
    axes.set_ylim(len(lines) - 0.4, -0.6)
    axes.grid(axis="y", visible=False)
    axes.set_xlabel(label)
