"""Interquartile mean, and bootstrap intervals that resample runs.

Resampling each (run, task) cell on its own, as is usual in reinforcement learning where a cell is a run, covers 40 to
75 % here: all tasks of one run share its seed. So runs are drawn, never cells.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from hnet_core.errors import ConfigInvalid
from studies.statistics.interval import Interval

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

MIN_RUNS = 3


def iqm(values: ArrayLike) -> Any:
    """Compute the interquartile mean over the last axis: the mean without the floor(m / 4) values at each end.

    Agarwal et al., "Deep reinforcement learning at the edge of the statistical precipice" (NeurIPS 2021),
    https://arxiv.org/abs/2108.13264.

    Args:
        values: (..., m), without NaN.

    Returns:
        (...); a float for one axis.
    """
    import numpy as np

    ordered = np.sort(np.asarray(values, dtype=float), axis=-1)
    cut = ordered.shape[-1] // 4
    return ordered[..., cut : ordered.shape[-1] - cut].mean(axis=-1)


def mean(values: ArrayLike) -> Any:
    """Compute the mean over the last axis, (..., m) -> (...)."""
    import numpy as np

    return np.asarray(values, dtype=float).mean(axis=-1)


def bootstrap_interval(
    runs: Iterable[Any],
    statistic: Callable[[NDArray[Any]], Any] = mean,
    *,
    seed: int = 0,
    draws: int = 10_000,
    confidence: float = 0.95,
) -> Interval:
    """Compute a statistic of all values and its percentile bootstrap interval over runs drawn with replacement.

    With few runs it is too narrow: nominal 95 % covers 75 / 84 / 90 / 93 % at 3 / 5 / 10 / 20 runs.

    Args:
        runs: one number or one row of task values per run, (n_runs,) or (n_runs, n_tasks); a run with None or NaN
            does not count.
        statistic: maps (..., m) to (...), such as `iqm`; m values are those of all drawn runs together.
        seed: the same seed gives the same interval.

    Raises:
        ConfigInvalid: below three runs, which have too few different resamples.
    """
    import numpy as np

    values = np.array(list(runs), dtype=float)
    values = values.reshape(len(values), -1)
    values = values[np.isfinite(values).all(axis=1)]
    n = len(values)
    if n < MIN_RUNS:
        raise ConfigInvalid(f"a bootstrap needs at least {MIN_RUNS} runs, got {n}; use the t interval.")
    drawn = np.random.default_rng(seed).integers(n, size=(draws, n))
    statistics = statistic(values[drawn].reshape(draws, -1))
    tail = (1 - confidence) / 2
    low, high = np.quantile(statistics, [tail, 1 - tail])
    return Interval(float(statistic(values.reshape(-1))), float(low), float(high), n)
