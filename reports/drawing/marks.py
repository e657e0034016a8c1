"""Points, interval bars and step lines: the part of a chart that is data.

Up to `MAX_TITLED` configurations each point is an element of its own with a title, so that a browser without
JavaScript names it; above that a series is one path, which keeps two thousand configurations small and fast; above
`MAX_DOTS` it is drawn as a density.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from markupsafe import Markup

from reports.drawing.svg import EMPTY, element, pixel

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAX_TITLED = 400
MAX_DOTS = 4000
CELL = 4.0
ARROW = 4  # pixels, half the width of the head
DENSITIES = 5


class Point(NamedTuple):
    """One value in pixels: its place, the ends of its interval if it has one, and its title.

    `trial` is its key in the script: the number of a trial, or None for a point that is no trial. `is_open` marks the
    ends (low, high) of an interval that goes on beyond the axis.
    """

    x: float
    y: float
    low: float | None
    high: float | None
    trial: int | str | None
    title: str
    is_open: tuple[bool, bool] = (False, False)


def dot(x: float, y: float) -> str:
    """Return the path of a round or square mark, whose size and shape are those of its stroke.

    The stroke is a tenth of a pixel long: one without length has no area, and PDF viewers do not paint a square on it.
    """
    return f"M{pixel(x)} {pixel(y)}h.1"


def points(series: Sequence[Point], style: str, *, titled: bool, name: str | None = None) -> Markup:
    """Draw round or square dots of one series; `data-trials` names them in drawing order.

    Args:
        titled: give each point a title.
        name: id of the series.
    """
    if not series:
        return EMPTY
    if titled:
        dots = EMPTY.join(element("path", element("title", point.title), d=dot(point.x, point.y)) for point in series)
    else:
        dots = element("path", d="".join(dot(point.x, point.y) for point in series))
    trials = None if series[0].trial is None else " ".join(str(point.trial) for point in series)
    return element("g", dots, class_=f"points {style}", id=name, data_trials=trials)


# Relative paths of about equal area around a point, so that series differ without colour.
GLYPHS = (
    "m-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0 -9 0z",
    "m-4 -4h8v8h-8z",
    "m0 -5.5l5 9h-10z",
    "m0 -5.8l5.2 5.8l-5.2 5.8l-5.2 -5.8z",
    "m0 5.5l5 -9h-10z",
    "m-1.7 -5h3.4v3.3h3.3v3.4h-3.3v3.3h-3.4v-3.3h-3.3v-3.4h3.3z",
    "m-4.4 -2.6l4.4 -2.6l4.4 2.6v5.2l-4.4 2.6l-4.4 -2.6z",
    "m-4.5 -5h9l-9 10h9z",
)


def glyphs(series: Sequence[Point], shape: int, style: str, name: str | None = None) -> Markup:
    """Draw filled marks of one shape, each with a title; `data-trials` names them in drawing order."""
    if not series:
        return EMPTY
    drawn = EMPTY.join(
        element("path", element("title", point.title), d=f"M{pixel(point.x)} {pixel(point.y)}{GLYPHS[shape]}")
        for point in series
    )
    trials = " ".join(str(point.trial) for point in series)
    return element("g", drawn, class_=f"points glyphs {style}", id=name, data_trials=trials)


def cloud(x: NDArray[np.float64], y: NDArray[np.float64], style: str) -> Markup:
    """Draw many points as a density: a square per cell of a few pixels, in five densities by factors of 4.

    Neighbours of the same density in a row of cells are joined to one stroke, as wide as a cell in the style sheet.

    Args:
        x, y: places in pixels, each (n_dots,).
    """
    import numpy as np

    cells, counts = np.unique(np.rint(y / CELL) + 1j * np.rint(x / CELL), return_counts=True)  # by row, then column
    levels = np.minimum(DENSITIES - 1, (np.frexp(counts)[1] - 1) // 2)
    is_next = (np.diff(cells) == 1j) & (np.diff(levels) == 0)
    starts = np.concatenate([[0], np.flatnonzero(~is_next) + 1])
    lengths = np.diff([*starts, len(cells)])
    paths: dict[int, list[str]] = {}
    for cell, level, length in zip(cells[starts].tolist(), levels[starts].tolist(), lengths.tolist(), strict=True):
        left = (cell.imag - 0.5) * CELL
        paths.setdefault(level, []).append(f"M{pixel(left)} {pixel(cell.real * CELL)}h{pixel(length * CELL)}")
    drawn = EMPTY.join(
        element("path", d="".join(strokes), class_=f"density-{level}") for level, strokes in sorted(paths.items())
    )
    return element("g", drawn, class_=f"points cloud {style}")


def bars(series: Sequence[Point], style: str) -> Markup:
    """Draw the interval of each point that has one; an arrow ends one that goes on beyond the axis."""
    strokes = ""
    for point in series:
        if point.low is None or point.high is None:
            continue
        strokes += f"M{pixel(point.x)} {pixel(point.low)}V{pixel(point.high)}"
        for end, is_open, back in ((point.low, point.is_open[0], -ARROW), (point.high, point.is_open[1], ARROW)):
            if is_open:
                strokes += f"M{pixel(point.x - ARROW)} {pixel(end + back)}l{ARROW} {-back}l{ARROW} {back}"
    return element("path", d=strokes, class_=f"bars {style}") if strokes else EMPTY


def band(series: Sequence[Point], style: str) -> Markup:
    """Draw the intervals of neighbouring points as one area; a point without an interval ends it."""
    paths = ""
    for has_interval, run in groupby(series, lambda point: point.low is not None and point.high is not None):
        at = [(pixel(one.x), pixel(one.low or 0), pixel(one.high or 0)) for one in run]
        if has_interval and len(at) > 1:
            edges = [*(f"{x} {high}" for x, _, high in at), *(f"{x} {low}" for x, low, _ in reversed(at))]
            paths += f"M{'L'.join(edges)}z"
    return element("path", d=paths, class_=f"band {style}") if paths else EMPTY


def steps(series: Sequence[tuple[float, float]], style: str) -> Markup:
    """Draw a staircase from left to right: each level holds until the next point begins."""
    (x, y), *rest = series
    line = f"M{pixel(x)} {pixel(y)}" + "".join(f"H{pixel(x)}V{pixel(y)}" for x, y in rest)
    return element("path", d=line, class_=style)


def line(series: Sequence[tuple[float, float]], style: str) -> Markup:
    """Draw straight lines through the points."""
    path = "L".join(f"{pixel(x)} {pixel(y)}" for x, y in series)
    return element("path", d=f"M{path}", class_=style) if series else EMPTY
