"""Means over seeds with their uncertainty.

The run is the unit: the tasks of one run share its seed, so only runs are independent. The interval is Student's t over
per-run values: with 3 to 20 seeds it covers 95 %, where a percentile bootstrap covers 75 to 93 % and the standard error
57 to 67 %. The others are there for papers that print them, and never without their name. An interval of a metric ends
at the bounds of its values, see `bounded`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hnet_core.errors import ConfigInvalid
from studies.metrics.definitions import METRICS, WHOLE
from studies.statistics.interval import ROUNDING, Interval

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

DEFAULT_INTERVAL = "t95"
INTERVAL_LABELS = {
    "t95": "95 % t interval over runs",
    "sem": "± standard error of the mean (SEM) over runs",
    "std": "± standard deviation (STD) over runs",
    "bootstrap": "95 % percentile bootstrap over runs",
}


def t_interval(values: Iterable[float | None], confidence: float = 0.95) -> Interval:
    """Compute the mean and Student t interval of independent runs: m +- t_{(1+confidence)/2, n-1} s / sqrt(n).

    Args:
        values: one per run; None and NaN are runs without a value and do not count.
    """
    return _around_mean(values, lambda deviation, n: float(t_quantile(n, confidence)) * deviation / math.sqrt(n))


def sem_interval(values: Iterable[float | None]) -> Interval:
    """Compute the mean -+ one standard error s / sqrt(n), which covers 57 to 67 % at n = 3 to 20."""
    return _around_mean(values, lambda deviation, n: deviation / math.sqrt(n))


def std_interval(values: Iterable[float | None]) -> Interval:
    """Compute the mean -+ one standard deviation s (ddof = 1): how runs scatter, not how well their mean is known."""
    return _around_mean(values, lambda deviation, n: deviation)


def interval_of(values: Iterable[float | None], kind: str = DEFAULT_INTERVAL) -> Interval:
    """Compute the mean and interval of the given kind; a caller prints `INTERVAL_LABELS[kind]` and n beside it.

    Args:
        kind: t95 (the default everywhere), sem, std, or bootstrap, which gives the same numbers at each call.

    Raises:
        ConfigInvalid: if there is no such kind, or fewer than three runs are to be bootstrapped.
    """
    from studies.statistics.bootstrap import bootstrap_interval

    kinds: dict[str, Callable[[Iterable[float | None]], Interval]] = {
        "t95": t_interval,
        "sem": sem_interval,
        "std": std_interval,
        "bootstrap": bootstrap_interval,
    }
    if kind not in kinds:
        raise ConfigInvalid(f"an interval must be one of {', '.join(INTERVAL_LABELS)}, got {kind!r}.")
    return kinds[kind](values)


def finite(values: Iterable[float | None]) -> list[float]:
    """Return the runs that have a value: None and NaN are left out."""
    return [float(value) for value in values if value is not None and not math.isnan(value)]


def _around_mean(values: Iterable[float | None], half_width: Callable[[float, int], float]) -> Interval:
    numbers = finite(values)
    n = len(numbers)
    if n == 0:
        return Interval(None, None, None, 0)
    mean = math.fsum(numbers) / n
    if n == 1:
        return Interval(mean, None, None, 1)
    deviation = math.sqrt(math.fsum((number - mean) ** 2 for number in numbers) / (n - 1))
    # Runs that differ by rounding only have no spread.
    half = half_width(deviation, n) if deviation > ROUNDING * max(map(abs, numbers)) else 0.0
    return Interval(mean, mean - half, mean + half, n)


def t_quantile(n: int | NDArray[np.int_], confidence: float = 0.95) -> Any:
    """Return the factor of s / sqrt(n) in a t interval over n runs; NaN below two runs. `n` may be an array."""
    import numpy as np
    from scipy.special import stdtrit  # the same as scipy.stats.t.ppf, which takes a second more to import

    degrees = np.asarray(n) - 1
    return stdtrit(np.where(degrees > 0, degrees, np.nan), (1 + confidence) / 2)


def summarise(runs: Sequence[Mapping[str, float | None]]) -> dict[str, Any]:
    """Summarise the metrics of several seeds of one configuration, in the form of all JSON output.

    Args:
        runs: `studies.metrics.values.run_metrics` of each seed.

    Returns:
        For each metric `{"mean", "low", "high", "n"}`; a count of weights or bytes is a plain integer.
    """
    return {name: summary(name, [run[name] for run in runs]) for name in METRICS}


def summary(name: str, values: Sequence[float | None]) -> Any:
    """Return one metric over seeds as JSON: an interval, or the integer where it is a count."""
    if values and name in WHOLE:
        return values[0]
    return bounded(name, t_interval(values)).to_dict()


def bounded(metric: str, interval: Interval, unit: float = 1.0) -> Interval:
    """Cut an interval of a metric off at the bounds of its values, such as an accuracy at 1 and seconds at 0.

    The true mean lies within the bounds, so the part that is cut off cannot hold it: the interval covers as often as
    before. Everything that shows an interval shows this one; `trial_columns` has the same rule in SQL.

    Args:
        unit: what the values were multiplied by, such as 100 for an accuracy in percent.
    """
    low, high, lowest, highest = interval.low, interval.high, METRICS[metric].lowest, METRICS[metric].highest
    lowest, highest = lowest * unit, highest * unit
    if low is None or high is None:
        return interval
    size = highest - lowest if math.isfinite(highest - lowest) else 0.0
    if high - low <= ROUNDING * (abs(low) + abs(high) + size):
        return replace(interval, low=interval.mean, high=interval.mean)
    return replace(interval, low=max(low, lowest), high=min(high, highest))


def bounded_difference(metric: str, interval: Interval) -> Interval:
    """Cut an interval of a difference of two means of a metric off where no difference can be."""
    size = METRICS[metric].highest - METRICS[metric].lowest
    if interval.low is None or interval.high is None:
        return interval
    return replace(interval, low=max(interval.low, -size), high=min(interval.high, size))


TWO_SEEDS = "two seeds show nothing, since their 95 % interval reaches 12.7 standard errors to each side; run 3 or more"


def few_seeds_remark(n: Iterable[int]) -> str | None:
    """Return a warning if an interval shown is over two seeds, else None."""
    if 2 not in n:
        return None
    return TWO_SEEDS


def over_seeds(group: NDArray[np.int_], values: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """Compute the mean and 95 % t interval of all groups at once, each equal to `t_interval`.

    Args:
        group: which configuration each run is of, from 0, (n_runs,).
        values: one metric of each run, NaN where it has none, (n_runs,).

    Returns:
        mean, low, high, (n_groups,) each; NaN where there is no run, bounds NaN below two.
    """
    import numpy as np

    known = np.isfinite(values)
    n_groups = int(group.max(initial=-1)) + 1
    group, values = group[known], values[known]
    n = np.bincount(group, minlength=n_groups)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.bincount(group, weights=values, minlength=n_groups) / n
        squares = np.bincount(group, weights=(values - mean[group]) ** 2, minlength=n_groups)
        deviation = np.sqrt(squares / (n - 1))
        size = np.zeros(n_groups)
        np.maximum.at(size, group, np.abs(values))
        half = np.where(deviation <= ROUNDING * size, 0.0, t_quantile(n) * deviation / np.sqrt(n))
    return mean, mean - half, mean + half
