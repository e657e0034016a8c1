"""The part of a chart that is not data: grid, ticks, labels and reference lines."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from reports.drawing.scales import Scale
from reports.drawing.svg import EMPTY, element, pixel

TICK_GAP = 6
LINE_HEIGHT = 16
ABOVE = 10


@dataclass(frozen=True)
class Frame:
    """The rectangle data is drawn in, inside a drawing of `width` x `height`."""

    width: float
    height: float
    left: float
    right: float
    top: float
    bottom: float

    @property
    def x(self) -> tuple[float, float]:
        """Pixels of the x axis, left to right."""
        return self.left, self.width - self.right

    @property
    def y(self) -> tuple[float, float]:
        """Pixels of the y axis, bottom to top."""
        return self.height - self.bottom, self.top


def axes(frame: Frame, x: Scale, y: Scale, x_label: str, y_label: str) -> Markup:
    """Draw grid and labels; the y label is horizontal, above the axis."""
    (left, right), (bottom, top) = frame.x, frame.y
    x_ticks, y_ticks = x.ticks(), y.ticks()
    grid = "".join(f"M{pixel(x(tick.value))} {pixel(top)}V{pixel(bottom)}" for tick in x_ticks if tick.label)
    grid += "".join(f"M{pixel(left)} {pixel(y(tick.value))}H{pixel(right)}" for tick in y_ticks if tick.label)
    marks = "".join(f"M{pixel(x(tick.value))} {pixel(bottom)}v{5 if tick.label else 3}" for tick in x_ticks)
    labels = [
        element("text", tick.label, x=x(tick.value), y=bottom + LINE_HEIGHT + 4, text_anchor="middle")
        for tick in x_ticks
        if tick.label
    ]
    labels += [
        element("text", tick.label, x=left - TICK_GAP, y=y(tick.value) + 4, text_anchor="end")
        for tick in y_ticks
        if tick.label
    ]
    return EMPTY.join([
        element("path", d=grid, class_="grid"),
        element("path", d=f"M{pixel(left)} {pixel(bottom)}H{pixel(right)}{marks}", class_="axis"),
        element("g", *labels, class_="ticks"),
        element("text", x_label, x=(left + right) / 2, y=frame.height - 6, text_anchor="middle", class_="label"),
        element("text", y_label, x=0, y=top - ABOVE, class_="label"),
    ])  # fmt: skip


def vertical_line(frame: Frame, x: float, label: str) -> Markup:
    """Draw a dashed vertical reference line with its label beside its foot, on the side that has room."""
    is_left = x > (frame.x[0] + frame.x[1]) / 2
    bottom, top = frame.y
    return EMPTY.join([
        element("path", d=f"M{pixel(x)} {pixel(top)}V{pixel(bottom)}", class_="reference"),
        element(
            "text", label,
            x=x - TICK_GAP if is_left else x + TICK_GAP, y=bottom - 8,
            text_anchor="end" if is_left else "start", class_="note",
        ),
    ])  # fmt: skip


def horizontal_line(frame: Frame, y: float, label: str) -> Markup:
    """Draw a dashed horizontal reference line with its label above its left end."""
    left, right = frame.x
    return EMPTY.join([
        element("path", d=f"M{pixel(left)} {pixel(y)}H{pixel(right)}", class_="reference"),
        element("text", label, x=left + TICK_GAP, y=y - 5, class_="note"),
    ])  # fmt: skip
