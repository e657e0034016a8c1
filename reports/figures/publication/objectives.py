"""Figures for papers of the objectives: every two of them, and parallel coordinates."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from reports.analysis.objective_fronts import ObjectiveFronts, ObjectivePair
from reports.data.study_data import StudyData
from reports.drawing.publication import BLUE, GREY, publication_files, set_axis
from reports.figures.objectives.metric_axis import metric_label, metric_scale
from reports.figures.objectives.parallel_coordinates import scales

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ACROSS = 2


def objective_figures(data: StudyData, fronts: ObjectiveFronts) -> dict[str, bytes]:
    """Draw the objectives two by two and by parallel coordinates; return files by name."""
    n_rows = math.ceil(len(fronts.pairs) / ACROSS)
    pairs = publication_files("objectives", lambda figure: _pairs(figure, data, fronts), aspect=0.42 * n_rows)
    return pairs | publication_files("parallel", lambda figure: _parallel(figure, data, fronts), aspect=0.6)


def _pairs(figure: Figure, data: StudyData, fronts: ObjectiveFronts) -> None:
    n_rows = math.ceil(len(fronts.pairs) / ACROSS)
    for i, pair in enumerate(fronts.pairs):
        _pair(figure.add_subplot(n_rows, ACROSS, i + 1), data, fronts, pair)


def _pair(axes: Axes, data: StudyData, fronts: ObjectiveFronts, pair: ObjectivePair) -> None:
    x, y = data.columns[pair.x], data.columns[pair.y]
    others = fronts.is_known & ~fronts.on_front
    axes.scatter(x[others], y[others], s=4, color=BLUE, alpha=0.35, linewidths=0)
    axes.scatter(x[fronts.on_front], y[fronts.on_front], s=9, color=BLUE, linewidths=0)
    order = x[pair.on_front].argsort(kind="stable")
    order = order[::-1] if fronts.directions[pair.x] == "maximize" else order
    axes.step(x[pair.on_front][order], y[pair.on_front][order], where="post", color="black", lw=0.8)
    set_axis(axes, "x", metric_scale(pair.x, x[fronts.is_known].tolist(), (0.0, 300.0)))
    set_axis(axes, "y", metric_scale(pair.y, y[fronts.is_known].tolist(), (200.0, 0.0), is_vertical=True))
    axes.set_xlabel(metric_label(pair.x))
    axes.set_ylabel(metric_label(pair.y))


def _parallel(figure: Figure, data: StudyData, fronts: ObjectiveFronts) -> None:
    """Draw the lines in the pixels of the page, the better end of each axis on top."""
    axes = figure.add_subplot()
    across = list(range(len(fronts.directions)))
    drawn = scales(data, fronts)
    for mask, alpha, width in ((fronts.is_known & ~fronts.on_front, 0.2, 0.5), (fronts.on_front, 0.85, 1.0)):
        for trial in data.columns.where(mask):
            heights = [y(trial.value(metric)) for metric, y in drawn.items()]
            axes.plot(across, heights, color=BLUE, alpha=alpha, lw=width)
    for at, y in zip(across, drawn.values(), strict=True):
        axes.axvline(at, color=GREY, lw=0.6)
        for tick in y.ticks():
            axes.text(at - 0.03, y(tick.value), tick.label, ha="right", va="center", fontsize=6)
    axes.set_xlim(-0.4, across[-1] + 0.3)
    axes.set_xticks(across, [_two_lines(metric_label(metric)) for metric in drawn])
    axes.invert_yaxis()
    axes.set_yticks([])
    axes.spines[["left", "bottom"]].set_visible(False)
    axes.tick_params(length=0)
    axes.grid(visible=False)
    axes.set_ylabel("better is up")


def _two_lines(label: str) -> str:
    return label.replace(" (", "\n(", 1)
