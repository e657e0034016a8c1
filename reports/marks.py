"""Points, interval bars and step lines: the part of a chart that is data.

Up to `MANY` configurations each point is an element of its own with a title, so that a browser without JavaScript names
it; above that a series is one path, which keeps two thousand configurations small and fast.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup

from reports.svg import EMPTY, element, pixel

MANY = 400


class Point(NamedTuple):
    """One value in pixels: where it is, the ends of its interval if it has one, and what it is in words."""

    x: float
    y: float
    low: float | None
    high: float | None
    trial: int
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
    trials = " ".join(str(point.trial) for point in series)
    return element("g", dots, class_=f"points {style}", id=name, data_trials=trials)


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
