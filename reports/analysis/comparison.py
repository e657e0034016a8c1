"""Verdicts on all pairs of compared methods, and their summary."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

from hnet_core.errors import ConfigInvalid
from reports.analysis.ranks import Ranks, average_ranks
from reports.data.compared_methods import ComparedMethod
from reports.formatting import capitalized, mean_text, phrase, range_text, significant
from studies.comparing.comparability import check_metric, judge_pairs
from studies.metrics.definitions import METRICS
from studies.statistics.intervals import bounded_difference
from studies.statistics.verdicts import (
    A_BETTER,
    B_BETTER,
    EQUIVALENT,
    NO_DIFFERENCE,
    NOT_COMPARABLE,
    Verdict,
)

MAX_LABELS = 20
Standing = Literal["best", "not significantly different from the best", ""]


@dataclass(frozen=True)
class Pair:
    """One comparison by a metric: A is the one named first."""

    a: ComparedMethod
    b: ComparedMethod
    verdict: Verdict
    metric: str

    @property
    def winner(self) -> ComparedMethod | None:
        return {A_BETTER: self.a, B_BETTER: self.b}.get(self.verdict.answer)

    @property
    def sentence(self) -> str:
        """The verdict with its numbers."""
        verdict = self.verdict
        names = {
            A_BETTER: f"{self.a.label} is better than {self.b.label}",
            B_BETTER: f"{self.b.label} is better than {self.a.label}",
        }
        other = f"{verdict.answer} between {self.a.label} and {self.b.label}"
        text = names.get(verdict.answer, capitalized(other))
        if verdict.answer == EQUIVALENT:
            text = f"{self.a.label} and {self.b.label} are equivalent within a margin of {significant(verdict.margin)}"
        if verdict.difference is None:
            return f"{self.a.label} and {self.b.label} are not comparable: {verdict.reason}."
        difference = bounded_difference(self.metric, verdict.difference)
        runs = (
            f"{verdict.difference.n} seeds in pairs"
            if verdict.design == "paired"
            else f"{verdict.a.n} and {verdict.b.n} seeds, not in pairs"
        )
        return (
            f"{text}: {mean_text(verdict.a)} against {mean_text(verdict.b)}, difference "
            f"{mean_text(difference)} {range_text(difference)} ({runs})."
        )


@dataclass(frozen=True)
class Comparison:
    """The methods of a comparison with the verdicts on their pairs.

    Attributes:
        metric: what is compared, by its name in METRICS.
        streams: in the order they came.
        pairs: every pair on a stream, or every pair at all where each name has one stream or no stream has a pair.
        ranks: None where there are too few streams for them.
    """

    metric: str
    margin: float | None
    alpha: float
    methods: tuple[ComparedMethod, ...]
    pairs: tuple[Pair, ...]
    ranks: Ranks | None

    @property
    def streams(self) -> list[str]:
        return list(dict.fromkeys(one.stream for one in self.methods))

    @property
    def labels(self) -> list[str]:
        return list(dict.fromkeys(one.label for one in self.methods))

    def on(self, stream: str) -> list[ComparedMethod]:
        return [one for one in self.methods if one.stream == stream]

    def standing(self, method: ComparedMethod) -> Standing:
        """Return whether a method is the best of its stream by the mean, or not shown to be worse than that one."""
        best = self.best(method.stream)
        if best is None:
            return ""
        if best is method:
            return "best"
        pair = next((p for p in self.pairs if {id(p.a), id(p.b)} == {id(best), id(method)}), None)
        is_different = pair is None or pair.verdict.answer in (A_BETTER, B_BETTER, NOT_COMPARABLE)
        return "" if is_different else "not significantly different from the best"

    def best(self, stream: str) -> ComparedMethod | None:
        """Return the method with the best mean among those that can be compared; None where no pair can be."""
        comparable = {
            id(one)
            for pair in self.pairs
            if pair.verdict.answer != NOT_COMPARABLE
            for one in (pair.a, pair.b)
            if one.stream == stream
        }
        sign = -1 if METRICS[self.metric].better == "higher" else 1
        found = [one for one in self.on(stream) if id(one) in comparable]
        return min(found, key=lambda one: sign * (one.interval(self.metric).mean or 0.0), default=None)


def compare(
    methods: Sequence[ComparedMethod], metric: str | None = None, margin: float | None = None, alpha: float = 0.05
) -> Comparison:
    """Judge every pair; Holm's adjustment runs over all of them.

    Args:
        metric: a metric of the matrix or a cost; None: the final measure.
        margin: largest difference that does not matter; None: equivalence is not asked for.

    Raises:
        ConfigInvalid: if there are fewer than two methods or too many, or the metric cannot be compared.
    """
    labels = list(dict.fromkeys(one.label for one in methods))
    if len(methods) < 2 or len(labels) < 2:
        raise ConfigInvalid(f"a comparison needs two or more, got {', '.join(labels)}; name more studies or use --by.")
    if len(labels) > MAX_LABELS:
        raise ConfigInvalid(f"a comparison takes at most {MAX_LABELS}, got {len(labels)}; choose with --by.")
    chosen = _metric(metric, methods)
    every = [(a, b) for a, b in combinations(methods, 2) if a.label != b.label]
    on_one_stream = [(a, b) for a, b in every if a.stream == b.stream]
    has_one_stream_each = len(methods) == len(labels)
    pairs = every if has_one_stream_each or not on_one_stream else on_one_stream
    verdicts = judge_pairs(pairs, chosen, lambda one: one.values[chosen], margin=margin, alpha=alpha)
    scores: dict[str, dict[str, float]] = {label: {} for label in labels}
    for one in methods:
        mean = one.interval(chosen).mean
        if mean is not None:
            scores[one.label][one.stream] = mean
    return Comparison(
        metric=chosen,
        margin=margin,
        alpha=alpha,
        methods=tuple(methods),
        pairs=tuple(Pair(a, b, verdict, chosen) for (a, b), verdict in zip(pairs, verdicts, strict=True)),
        ranks=average_ranks(scores, METRICS[chosen].better == "higher"),
    )


def headline(comparison: Comparison) -> list[str]:
    """Summarise: the one verdict, or for each stream the best method and those not significantly different from it."""
    if len(comparison.pairs) == 1:
        return [comparison.pairs[0].sentence]
    lines = []
    for stream in comparison.streams:
        best = comparison.best(stream)
        if best is not None:
            lines.append(_leader(comparison, stream, best))
    return lines or ["None of the pairs can be compared; the reasons are in the table of verdicts."]


def _leader(comparison: Comparison, stream: str, best: ComparedMethod) -> str:
    pairs = [p for p in comparison.pairs if best in (p.a, p.b) and p.verdict.answer != NOT_COMPARABLE]
    beaten = [p for p in pairs if p.winner is best]
    tied = [(p.b if p.a is best else p.a).label for p in pairs if p.verdict.answer in (NO_DIFFERENCE, EQUIVALENT)]
    text = f"the best mean is that of {best.label}, {phrase(best.interval(comparison.metric))}; it is "
    text += (
        f"significantly better than {len(beaten)} of {len(pairs)} others"
        if beaten
        else "not significantly better than any other"
    )
    text += f"; no difference is shown from {', '.join(tied)}" if tied else ""
    return f"On {stream}, {text}." if len(comparison.streams) > 1 else f"T{text[1:]}."


def _metric(metric: str | None, methods: Sequence[ComparedMethod]) -> str:
    if metric is None:
        return f"final_{methods[0].measure}"
    check_metric(metric)
    return metric
