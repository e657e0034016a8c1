"""Figure for papers of quality against a cost, with the Pareto front."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from reports.data.study_data import StudyData
from reports.data.trial import Trial
from reports.drawing.cost_scale import cost_scale, with_reference
from reports.drawing.publication import BLUE, GREY, VERMILLION, publication_files, set_axis
from reports.figures.quality_axis import interval_ends, quality_scale

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def tradeoff_figures(data: StudyData) -> dict[str, bytes]:
    """Draw quality against cost with the front; return files by name."""
    return publication_files("tradeoff", lambda figure: _draw(figure.add_subplot(), data), aspect=0.72)


def _draw(axes: Axes, data: StudyData) -> None:
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
