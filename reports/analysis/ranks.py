"""Average ranks over streams and the critical difference between them.

Friedman's test with Nemenyi's critical difference, after Demsar, "Statistical comparisons of classifiers over multiple
data sets" (JMLR 2006), https://jmlr.org/papers/v7/demsar06a.html. It needs several streams.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from reports.table import Row

MIN_STREAMS = 5


@dataclass(frozen=True)
class Ranks:
    """Average ranks with Nemenyi's critical difference.

    Attributes:
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
    """Rank labels over the streams they all have; None below MIN_STREAMS streams or with fewer than 3 labels.

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


def rank_rows(found: Ranks) -> list[Row]:
    """List the ranks for the CSV."""
    return [
        {
            "label": label,
            "average_rank": rank,
            "critical_difference": found.critical_difference,
            "streams": found.n_streams,
        }
        for label, rank in found.ranks
    ]
