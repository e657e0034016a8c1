"""Hypervolume of the front against the trials that had finished: did the search converge, was the budget enough?"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from reports.data.study_map import StudyMap
from reports.drawing.axes import Frame, axes
from reports.drawing.marks import steps
from reports.drawing.scales import LinearScale, padded
from reports.drawing.svg import figure
from reports.formatting import plural, significant
from studies.statistics.hypervolume import REFERENCE_POINT

FRAME = Frame(width=960, height=260, left=52, right=16, top=34, bottom=48)


@dataclass(frozen=True)
class Growth:
    """The finished trials at which the hypervolume grew, and its value from each on, (n_steps,) both."""

    trials: list[int]
    values: list[float]
    n_trials: int


def growth(map: StudyMap) -> Growth | None:
    """Follow the hypervolume of quality and compression ratio on the test split in the order trials finished.

    None where these two are not the objectives of the study, which have a fixed reference point.
    """
    if set(map.record.objectives) != {map.quality.final, "compression_ratio"} or not map.is_feasible.any():
        return None
    order = np.lexsort((map.numbers, map.finished))
    order = order[map.is_feasible[order]]
    ratios, losses = map.ratios[order], map.losses[order]
    reference = (REFERENCE_POINT["compression_ratio"], _sign(map) * REFERENCE_POINT[map.quality.final])
    trials, values = _follow(ratios, losses, reference)
    return Growth(trials, values, len(order))


def hypervolume_figure(map: StudyMap, found: Growth) -> Markup:
    """Draw the hypervolume as a staircase."""
    x = LinearScale((0.0, float(max(found.n_trials, 1))), FRAME.x)
    y = LinearScale(padded(min(found.values), max(found.values)), FRAME.y)
    line = [(x(trial), y(value)) for trial, value in zip(found.trials, found.values, strict=True)]
    end = (x(found.n_trials), y(found.values[-1]))
    parts = [
        axes(FRAME, x, y, "trials finished, in that order", "hypervolume"),
        steps([*line, end], "final-line"),
    ]
    return figure("hypervolume", (FRAME.width, FRAME.height), finding(found), caption(map), parts)


def finding(found: Growth) -> str:
    """State when the front grew last."""
    since = found.n_trials - found.trials[-1]
    text = f"Hypervolume {significant(found.values[-1])} after {plural(found.n_trials, 'trial')}"
    return f"{text}; it has not grown in the last {since:,}." if since else f"{text}; the last one made it grow."


def caption(map: StudyMap) -> str:
    """Explain the measure."""
    return (
        f"Area that the front of {map.quality.final} and compression_ratio dominates, up to the reference point "
        f"({REFERENCE_POINT[map.quality.final]:g}, {REFERENCE_POINT['compression_ratio']:g}); larger is better."
    )


def _sign(map: StudyMap) -> float:
    return -1.0 if map.quality.higher_is_better else 1.0


def _follow(
    x: NDArray[np.float64], y: NDArray[np.float64], reference: tuple[float, float]
) -> tuple[list[int], list[float]]:
    """Add points one by one to a front that is sorted by x, both less is better; return where the area grew."""
    xs: list[float] = []
    ys: list[float] = []  # descending
    area, trials, values = 0.0, [], []
    for i, (px, py) in enumerate(zip(x.tolist(), y.tolist(), strict=True), start=1):
        if px >= reference[0] or py >= reference[1]:
            continue
        at = bisect_left(xs, px)
        if (at and ys[at - 1] <= py) or (at < len(xs) and xs[at] == px and ys[at] <= py):
            continue
        end = at
        while end < len(xs) and ys[end] >= py:
            end += 1
        # The strip between this point and the next one of the front, level by level down to py.
        level = ys[at - 1] if at else reference[1]
        edges = [*xs[at:end], xs[end] if end < len(xs) else reference[0]]
        left = px
        for edge, below in zip(edges, [*ys[at:end], None], strict=True):
            area += (edge - left) * (level - py)
            left = edge
            if below is not None:
                level = below
        xs[at:end], ys[at:end] = [px], [py]
        trials.append(i)
        values.append(area)
    return trials or [len(x)], values or [0.0]
