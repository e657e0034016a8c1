"""Forest plots: numbers with their intervals, one below the other; differences against a line at zero."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from reports.drawing.axes import LINE_HEIGHT, TICK_GAP
from reports.drawing.marks import ARROW, dot
from reports.drawing.scales import LinearScale, padded
from reports.drawing.svg import EMPTY, element, figure, pixel
from reports.formatting import told_apart

WIDTH, LEFT, RIGHT = 960.0, 340.0, 16.0
TOP, ROW, ROW_OF_TWO, BOTTOM = 26.0, 30.0, 40.0, 52.0
MAX_LABEL = 44


@dataclass(frozen=True)
class ForestLine:
    """One line of the figure.

    Attributes:
        label: its name; of a difference those of both sides, which stand below each other.
        value: the number; `low` and `high` its interval, None where there is none.
        shown: what the axis must show of the interval; where it goes on beyond the axis, an arrow ends it.
        verdict: class of the mark: better, worse, same or unknown.
        title: the line as a sentence.
    """

    label: str | tuple[str, str]
    value: float
    low: float | None
    high: float | None
    verdict: str
    title: str
    shown: tuple[float, ...] | None = None


def forest_plot(
    name: str,
    lines: Sequence[ForestLine],
    x_label: str,
    finding: str,
    description: str,
    margin: float | None = None,
    ends: tuple[str, str] | None = None,
    has_zero: bool = True,
) -> Markup:
    """Draw the lines in the order given.

    Args:
        has_zero: the numbers are differences, to be read against zero.
        margin: half-width of the band in which two are called equivalent, in the unit of the differences.
        ends: labels of the left and the right side of zero.
    """
    values = [line.value for line in lines] + [
        end
        for line in lines
        for end in ((line.low, line.high) if line.shown is None else line.shown)
        if end is not None
    ]
    reach = ([0.0] if has_zero else []) if margin is None else [-margin, margin]
    x = LinearScale(padded(min([*values, *reach]), max([*values, *reach])), (LEFT, WIDTH - RIGHT))
    names = told_apart([side for line in lines for side in _sides(line)], MAX_LABEL)
    row = ROW_OF_TWO if any(len(_sides(line)) == 2 for line in lines) else ROW
    bottom = TOP + row * len(lines)
    parts = [_axis(x, x_label, bottom, has_zero), _band(x, margin, bottom), _ends(x, ends)]
    parts += [_line(x, line, names, TOP + row * (i + 0.5)) for i, line in enumerate(lines)]
    return figure(name, (WIDTH, bottom + BOTTOM), finding, description, parts)


def _axis(x: LinearScale, label: str, bottom: float, has_zero: bool) -> Markup:
    ticks = x.ticks()
    grid = "".join(f"M{pixel(x(tick.value))} {pixel(TOP)}V{pixel(bottom)}" for tick in ticks)
    texts = [
        element("text", tick.label, x=x(tick.value), y=bottom + LINE_HEIGHT + 4, text_anchor="middle") for tick in ticks
    ]
    left, right = x.pixels
    return EMPTY.join([
        element("path", d=grid, class_="grid"),
        element("path", d=f"M{pixel(left)} {pixel(bottom)}H{pixel(right)}", class_="axis"),
        element("path", d=f"M{pixel(x(0.0))} {pixel(TOP)}V{pixel(bottom)}", class_="zero") if has_zero else EMPTY,
        element("g", *texts, class_="ticks"),
        element("text", label, x=(left + right) / 2, y=bottom + BOTTOM - 8, text_anchor="middle", class_="label"),
    ])  # fmt: skip


def _band(x: LinearScale, margin: float | None, bottom: float) -> Markup:
    if margin is None:
        return EMPTY
    left, right = x(-margin), x(margin)
    return element("rect", x=left, y=TOP, width=right - left, height=bottom - TOP, class_="margin")


def _ends(x: LinearScale, ends: tuple[str, str] | None) -> Markup:
    if ends is None:
        return EMPTY
    zero = x(0.0)
    return EMPTY.join([
        element("text", f"← {ends[0]}", x=zero - TICK_GAP, y=TOP - 8, text_anchor="end", class_="note"),
        element("text", f"{ends[1]} →", x=zero + TICK_GAP, y=TOP - 8, class_="note"),
    ])  # fmt: skip


def _sides(line: ForestLine) -> tuple[str, ...]:
    return (line.label,) if isinstance(line.label, str) else line.label


def _line(x: LinearScale, line: ForestLine, names: Mapping[str, str], y: float) -> Markup:
    texts = [names[side] for side in _sides(line)]
    placed = [(texts[0], y + 4)] if len(texts) == 1 else [(texts[0], y - 3), (f"− {texts[1]}", y + 12)]
    parts = [element("text", text, x=LEFT - 10, y=at, text_anchor="end") for text, at in placed]
    if line.low is not None and line.high is not None:
        parts.append(element("path", d=_bar(x, line.low, line.high, y), class_="bars"))
    mark = element("path", element("title", line.title), d=dot(x(line.value), y))
    parts.append(element("g", mark, class_=f"points {line.verdict}"))
    return EMPTY.join(parts)


def _bar(x: LinearScale, low: float, high: float, y: float) -> str:
    """Return the path of an interval, with an arrow at an end that goes on beyond the axis."""
    first, last = x.domain
    left, right = x(max(low, first)), x(min(high, last))
    path = f"M{pixel(left)} {pixel(y)}H{pixel(right)}"
    if low < first:
        path += f"M{pixel(left + ARROW)} {pixel(y - ARROW)}l{-ARROW} {ARROW}l{ARROW} {ARROW}"
    if high > last:
        path += f"M{pixel(right - ARROW)} {pixel(y - ARROW)}l{ARROW} {ARROW}l{-ARROW} {ARROW}"
    return path
