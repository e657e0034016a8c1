"""Average ranks over streams and the critical difference between them.

Friedman's test with Nemenyi's critical difference, after Demsar, "Statistical comparisons of classifiers over multiple
data sets" (JMLR 2006), https://jmlr.org/papers/v7/demsar06a.html. It needs several streams to mean anything.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from reports.drawing.scales import Linear
from reports.drawing.svg import element, figure, pixel
from reports.formatting import significant

MIN_STREAMS = 5
WIDTH, LEFT, RIGHT, TOP = 960.0, 210.0, 40.0, 46.0
ROW = 26.0


@dataclass(frozen=True)
class Ranks:
    """Attributes:
    ranks: average rank of each label, best first; 1 is best.
    critical_difference: smallest difference of average ranks that is significant at 5 %.
    p: of Friedman's test that all ranks are equal.
    n_streams: streams all labels were measured on.
    """

    ranks: tuple[tuple[str, float], ...]
    critical_difference: float
    p: float
    n_streams: int

    @property
    def cliques(self) -> list[tuple[float, float]]:
        """Longest stretches (best, worst rank) within which no difference is significant."""
        values = [rank for _, rank in self.ranks]
        spans = [
            (low, max(v for v in values if v <= low + self.critical_difference + 1e-12))
            for low in dict.fromkeys(values)
        ]
        return [s for s in spans if s[1] > s[0] and not any(o != s and o[0] <= s[0] and s[1] <= o[1] for o in spans)]


def average_ranks(scores: Mapping[str, Mapping[str, float]], higher_is_better: bool) -> Ranks | None:
    """Ranks of labels over the streams they all have; None below MIN_STREAMS streams or with fewer than 3 labels.

    Args:
        scores: {label: {stream: mean}}.
    """
    import numpy as np
    from scipy.stats import friedmanchisquare, rankdata, studentized_range

    labels = list(scores)
    streams = [stream for stream in scores[labels[0]] if all(stream in scores[label] for label in labels)]
    k, n = len(labels), len(streams)
    if k < 3 or n < MIN_STREAMS:
        return None
    table = np.array([[scores[label][stream] for stream in streams] for label in labels])  # (k, n)
    ranks = rankdata(-table if higher_is_better else table, axis=0).mean(axis=1)
    q = float(studentized_range.ppf(0.95, k, math.inf)) / math.sqrt(2)
    same = bool((table == table[0]).all())
    p = 1.0 if same else float(friedmanchisquare(*table).pvalue)
    ordered = sorted(zip(labels, ranks.tolist(), strict=True), key=lambda pair: (pair[1], pair[0]))
    return Ranks(tuple(ordered), q * math.sqrt(k * (k + 1) / (6 * n)), p, n)


def ranks_figure(found: Ranks) -> Markup:
    """Labels at their average ranks, a bar over those that cannot be told apart, and the critical difference."""
    k = len(found.ranks)
    x = Linear((1.0, float(k)), (LEFT, WIDTH - RIGHT))
    bars = found.cliques
    first = TOP + 16 + 12 * len(bars)
    height = first + ROW * k + 8
    parts = [_axis(x, k, found)]
    for i, (low, high) in enumerate(bars):
        y = TOP + 12 * (i + 1)
        parts.append(element("path", d=f"M{pixel(x(low) - 4)} {pixel(y)}H{pixel(x(high) + 4)}", class_="clique"))
    for i, (label, rank) in enumerate(found.ranks):
        y = first + ROW * (i + 0.5)
        dot = element("path", element("title", f"{label}: {significant(rank)}"), d=f"M{pixel(x(rank))} {pixel(y)}h0")
        parts += [
            element("path", d=f"M{pixel(x(rank))} {pixel(TOP)}V{pixel(y)}H{pixel(LEFT - 4)}", class_="leader"),
            element("text", label[:28], x=LEFT - 10, y=y + 4, text_anchor="end"),
            element("g", dot, class_="points same"),
        ]
    return figure("ranks", (WIDTH, height), finding(found), "Average rank of each over the streams.", parts)


def finding(found: Ranks) -> str:
    """The ranks in a sentence."""
    best, rank = found.ranks[0]
    told = "differ" if found.p < 0.05 else "are not shown to differ"
    return (
        f"Over {found.n_streams} streams {best} ranks best on average ({significant(rank)}). The ranks {told} "
        f"(Friedman, p = {significant(found.p, 2)}); two differ where they are "
        f"{significant(found.critical_difference)} apart (Nemenyi)."
    )


def _axis(x: Linear, k: int, found: Ranks) -> Markup:
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


def rank_rows(found: Ranks) -> Sequence[dict[str, object]]:
    """The ranks for the CSV."""
    return [
        {
            "label": label,
            "average_rank": rank,
            "critical_difference": found.critical_difference,
            "streams": found.n_streams,
        }
        for label, rank in found.ranks
    ]
