"""All trials of a study as one bar, a segment per outcome."""

from __future__ import annotations

from collections.abc import Mapping

from markupsafe import Markup

from reports.drawing.svg import element, figure

WIDTH, HEIGHT = 960.0, 26.0


def outcomes_bar(counts: Mapping[str, int]) -> Markup:
    """Draw a segment for each outcome, as wide as its share of the trials."""
    total = sum(counts.values())
    segments, x = [], 0.0
    for outcome, count in counts.items():
        width = WIDTH * count / total
        style = f"outcome-{outcome.replace(' ', '-')}"
        segments.append(element("rect", x=x, y=0, width=max(width - 2, 1.0), height=HEIGHT, rx=2, class_=style))
        x += width
    text = ", ".join(f"{count} {outcome}" for outcome, count in counts.items()) or "no trials"
    return figure("coverage-bar", (WIDTH, HEIGHT), f"Trials: {text}.", "One segment per outcome.", segments)
