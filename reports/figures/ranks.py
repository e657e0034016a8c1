"""Average ranks over streams as a critical-difference diagram."""

from __future__ import annotations

from markupsafe import Markup

from reports.analysis.ranks import Ranks
from reports.drawing.marks import dot
from reports.drawing.scales import LinearScale
from reports.drawing.svg import element, figure, pixel
from reports.formatting import significant, told_apart

WIDTH, LEFT, RIGHT, TOP = 960.0, 210.0, 40.0, 46.0
ROW = 26.0
MAX_LABEL = 28


def ranks_figure(found: Ranks) -> Markup:
    """Draw a critical-difference diagram: labels at their average ranks, bars over those that do not differ."""
    k = len(found.ranks)
    x = LinearScale((1.0, float(k)), (LEFT, WIDTH - RIGHT))
    bars = found.cliques
    first = TOP + 16 + 12 * len(bars)
    height = first + ROW * k + 8
    names = told_apart([label for label, _ in found.ranks], MAX_LABEL)
    parts = [_axis(x, k, found)]
    for i, (low, high) in enumerate(bars):
        y = TOP + 12 * (i + 1)
        parts.append(element("path", d=f"M{pixel(x(low) - 4)} {pixel(y)}H{pixel(x(high) + 4)}", class_="clique"))
    for i, (label, rank) in enumerate(found.ranks):
        y = first + ROW * (i + 0.5)
        mark = element("path", element("title", f"{label}: {significant(rank)}"), d=dot(x(rank), y))
        parts += [
            element("path", d=f"M{pixel(x(rank))} {pixel(TOP)}V{pixel(y)}H{pixel(LEFT - 4)}", class_="leader"),
            element("text", names[label], x=LEFT - 10, y=y + 4, text_anchor="end"),
            element("g", mark, class_="points same"),
        ]
    return figure("ranks", (WIDTH, height), finding(found), "Average rank of each over the streams.", parts)


def finding(found: Ranks) -> str:
    """State the ranks in a sentence."""
    best, rank = found.ranks[0]
    outcome = "differ" if found.p < 0.05 else "are not shown to differ"
    return (
        f"Over {found.n_streams} streams {best} ranks best on average ({significant(rank)}). The ranks {outcome} "
        f"(Friedman, p = {significant(found.p, 2)}); two differ where they are "
        f"{significant(found.critical_difference)} apart (Nemenyi)."
    )


def _axis(x: LinearScale, k: int, found: Ranks) -> Markup:
    ticks = "".join(f"M{pixel(x(rank))} {pixel(TOP)}v-5" for rank in range(1, k + 1))
    left, right = x.pixels
    width = (right - left) / (k - 1) * found.critical_difference
    labels = [element("text", str(r), x=x(r), y=TOP - 10, text_anchor="middle") for r in range(1, k + 1)]
    end = min(left + width, WIDTH - 4)
    return Markup("").join([
        element("path", d=f"M{pixel(left)} {pixel(TOP)}H{pixel(right)}{ticks}", class_="axis"),
        element("g", *labels, class_="ticks"),
        element("path", d=f"M{pixel(left)} 8v8M{pixel(left)} 12H{pixel(end)}m0 -4v8", class_="reference"),
        element("text", "critical difference", x=left - 10, y=16, text_anchor="end", class_="note"),
    ])  # fmt: skip
