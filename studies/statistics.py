"""Means over seeds with their uncertainty.

The interval is Student's t over per-run values: with 3 to 20 seeds it covers 95 %, where a percentile bootstrap covers
75 to 93 % and the standard error 57 to 67 %.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from studies.metrics import METRICS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Interval:
    """A mean over n runs and its confidence interval; all None at n = 0, no bounds at n = 1."""

    mean: float | None
    low: float | None
    high: float | None
    n: int

    def to_dict(self) -> dict[str, float | int | None]:
        return asdict(self)


def t_interval(values: Iterable[float | None], confidence: float = 0.95) -> Interval:
    """Mean and Student t interval of independent runs: m +- t_{(1+confidence)/2, n-1} s / sqrt(n).

    Args:
        values: one per run; None and NaN are runs without a value and do not count.
    """
    numbers = [float(value) for value in values if value is not None and not math.isnan(value)]
    n = len(numbers)
    if n == 0:
        return Interval(None, None, None, 0)
    mean = math.fsum(numbers) / n
    if n == 1:
        return Interval(mean, None, None, 1)
    deviation = math.sqrt(math.fsum((number - mean) ** 2 for number in numbers) / (n - 1))
    half = float(t_quantile(n, confidence)) * deviation / math.sqrt(n)
    return Interval(mean, mean - half, mean + half, n)


def t_quantile(n: int | NDArray[np.int_], confidence: float = 0.95) -> Any:
    """The factor of s / sqrt(n) in a t interval over n runs; NaN below two runs. `n` may be an array."""
    import numpy as np
    from scipy.stats import t

    degrees = np.asarray(n) - 1
    return t.ppf((1 + confidence) / 2, np.where(degrees > 0, degrees, np.nan))


def summarise(runs: Sequence[Mapping[str, float | None]]) -> dict[str, Any]:
    """The metrics of several seeds of one configuration, as JSON shows them everywhere.

    Args:
        runs: `studies.metrics.run_metrics` of each seed.

    Returns:
        For each metric `{"mean", "low", "high", "n"}`; a count of weights or bytes is a plain integer.
    """
    return {name: summary(name, [run[name] for run in runs]) for name in METRICS}


def summary(name: str, values: Sequence[float | None]) -> Any:
    """One metric over seeds as JSON: an interval, or the integer where it is a count."""
    if values and all(isinstance(value, int) for value in values) and METRICS[name].kind == "count":
        return values[0]
    return t_interval(values).to_dict()
