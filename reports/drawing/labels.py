"""Placement of a few short labels beside their points without overlap."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup

from reports.drawing.axes import Frame
from reports.drawing.svg import EMPTY, element, pixel

CHARACTER = 7.2
HEIGHT = 16
GAP = 14
LEADER_FROM = 20


class Box(NamedTuple):
    """Left, top, right and bottom pixel of a label."""

    left: float
    top: float
    right: float
    bottom: float

    def overlap(self, other: Box) -> float:
        """Return the area that both cover."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(width, 0) * max(height, 0)


class Label(NamedTuple):
    """The text beside the point at pixel (x, y), and its CSS class."""

    x: float
    y: float
    text: str
    style: str | None = None


def draw_labels(frame: Frame, labels: Sequence[Label], avoid: Sequence[tuple[float, float]]) -> Markup:
    """Draw each label where it covers the fewest points and no earlier label."""
    taken = [Box(x - 6, y - 6, x + 6, y + 6) for x, y in avoid]
    drawn = []
    for label in labels:
        box = min(_places(frame, label), key=lambda place: sum(place.overlap(other) for other in taken))
        taken.append(box)
        drawn.append(_draw(label, box))
    return element("g", *drawn, class_="callouts") if drawn else EMPTY


def _places(frame: Frame, label: Label) -> list[Box]:
    """List boxes around the point that are inside the frame, nearest and upper ones first."""
    x, y, width = label.x, label.y, CHARACTER * len(label.text)
    boxes = []
    for distance in (GAP, 2 * GAP, 4 * GAP, 6 * GAP):
        for right, down in ((-1, -1), (1, -1), (0, -1), (1, 1), (0, 1), (-1, 1), (1, 0), (-1, 0)):
            left = x + right * distance - (width * (1 - right) / 2)
            top = y + down * distance - HEIGHT / 2
            box = Box(left, top, left + width, top + HEIGHT)
            if _inside(frame, box):
                boxes.append(box)
    return boxes or [Box(x, y - GAP - HEIGHT, x + width, y - GAP)]


def _inside(frame: Frame, box: Box) -> bool:
    (left, right), (bottom, top) = frame.x, frame.y
    return left <= box.left and box.right <= right and top <= box.top and box.bottom <= bottom


def _draw(label: Label, box: Box) -> Markup:
    middle = (box.left + box.right) / 2
    drawn = element("text", label.text, x=middle, y=box.bottom - 4, text_anchor="middle", class_=label.style)
    end_x, end_y = min(max(label.x, box.left), box.right), min(max(label.y, box.top), box.bottom)
    if abs(end_x - label.x) + abs(end_y - label.y) < LEADER_FROM:
        return drawn
    leader = f"M{pixel(label.x)} {pixel(label.y)}L{pixel(end_x)} {pixel(end_y)}"
    return EMPTY.join([element("path", d=leader, class_=label.style), drawn])
