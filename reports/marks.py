"""Points, interval bars and step lines: the part of a chart that is data.

Up to `MANY` configurations each point is an element of its own with a title, so that a browser without JavaScript names
it; above that a series is one path, which keeps two thousand configurations small and fast; above `CROWD` a cloud.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup

from reports.svg import EMPTY, element, pixel

MANY = 400
CROWD = 4000
CELL = 4.0
DENSITIES = 5


class Point(NamedTuple):
    """One value in pixels: where it is, the ends of its interval if it has one, and what it is in words.

    `trial` is what the script knows it by: the number of a trial, or None for a point that is no trial.
    """

    x: float
    y: float
    low: float | None
    high: float | None
    trial: int | str | None
    words: str


def points(series: Sequence[Point], style: str, *, titled: bool, name: str | None = None) -> Markup:
    """Round or square dots of one series, as short strokes; `data-trials` names them in drawing order.

    Args:
        titled: whether each point says in words what it is.
        name: id of the series.
    """
    if not series:
        return EMPTY
    if titled:
        dots = EMPTY.join(element("path", element("title", point.words), d=_dot(point)) for point in series)
    else:
        dots = element("path", d="".join(_dot(point) for point in series))
    trials = None if series[0].trial is None else " ".join(str(point.trial) for point in series)
    return element("g", dots, class_=f"points {style}", id=name, data_trials=trials)


def cloud(places: Sequence[tuple[float, float]], style: str) -> Markup:
    """More dots than an eye or a file can take: one per cell of a few pixels, in five densities by the factor of 4.

    Args:
        places: (x, y) in pixels.
    """
    counts = Counter((round(x / CELL), round(y / CELL)) for x, y in places)
    paths: dict[int, list[str]] = {}
    for (column, row), count in sorted(counts.items()):
        level = min(DENSITIES - 1, (count.bit_length() - 1) // 2)
        paths.setdefault(level, []).append(f"M{pixel(column * CELL)} {pixel(row * CELL)}h0")
    drawn = EMPTY.join(
        element("path", d="".join(dots), class_=f"density-{level}") for level, dots in sorted(paths.items())
    )
    return element("g", drawn, class_=f"points cloud {style}")


def bars(series: Sequence[Point], style: str) -> Markup:
    """The interval of each point that has one."""
    strokes = "".join(
        f"M{pixel(point.x)} {pixel(point.low)}V{pixel(point.high)}"
        for point in series
        if point.low is not None and point.high is not None
    )
    return element("path", d=strokes, class_=f"bars {style}") if strokes else EMPTY


def steps(series: Sequence[tuple[float, float]], style: str) -> Markup:
    """A staircase from left to right: each level holds until the next point begins."""
    (x, y), *rest = series
    line = f"M{pixel(x)} {pixel(y)}" + "".join(f"H{pixel(x)}V{pixel(y)}" for x, y in rest)
    return element("path", d=line, class_=style)


def line(series: Sequence[tuple[float, float]], style: str) -> Markup:
    """Straight lines through the points."""
    path = "L".join(f"{pixel(x)} {pixel(y)}" for x, y in series)
    return element("path", d=f"M{path}", class_=style) if series else EMPTY


def _dot(point: Point) -> str:
    return f"M{pixel(point.x)} {pixel(point.y)}h0"
