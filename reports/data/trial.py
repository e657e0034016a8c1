"""One trial of a study, and its metrics as intervals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from studies.metrics.definitions import METRICS
from studies.missing import nan_to_none
from studies.statistics.interval import Interval
from studies.statistics.intervals import bounded


@dataclass(frozen=True)
class Trial:
    """One trial in any state, with its metrics over `n` seeds."""

    number: int
    state: str
    reason: str | None
    duplicate_of: int | None
    n: int
    params: Mapping[str, Any]
    metrics: Measured

    def __getitem__(self, metric: str) -> Interval:
        return self.metrics[metric]

    def mean(self, metric: str) -> float | None:
        """Return the mean without its interval."""
        return self.metrics.number(metric)

    def value(self, metric: str) -> float:
        """Return the mean of a metric that is known to be there."""
        mean = self.mean(metric)
        assert mean is not None, metric
        return mean


class Measured(Mapping[str, Interval]):
    """Metrics of one trial; an interval is made on access, since a large study has millions of them.

    Args:
        row: the values of a row of `hnet study trials`.
        at: the place of each column in it; a metric that is no column was not measured.
        seeds: the seeds that have a value of a metric, where not all have one.
    """

    __slots__ = ("at", "row", "seeds")

    def __init__(self, row: Sequence[Any], at: Mapping[str, int], seeds: Mapping[str, int] | None = None) -> None:
        self.row = row
        self.at = at
        self.seeds = seeds

    def __getitem__(self, name: str) -> Interval:
        """Return a metric with its interval, cut at the bounds of the metric."""
        return bounded(name, self.exact(name))

    def exact(self, name: str) -> Interval:
        """Return a metric with its interval as computed, which may reach beyond the bounds of the metric."""
        return Interval(self.number(name), self.number(f"{name}.low"), self.number(f"{name}.high"), self.n(name))

    def n(self, name: str) -> int:
        """Return the number of seeds that have a value of a metric."""
        n = int(self.row[self.at["n"]] or 0)
        return n if self.seeds is None else self.seeds.get(name, n)

    def number(self, column: str) -> float | None:
        """Return the number of one column: a metric, or an end of its interval."""
        place = self.at.get(column)
        if place is None:
            return None
        return nan_to_none(self.row[place])

    def __iter__(self) -> Iterator[str]:
        return iter(METRICS)

    def __len__(self) -> int:
        return len(METRICS)
