"""Tests of one value per run of A against one per run of B: difference, p values, probability; see also `verdicts`.

Runs with the same seed saw the same tasks in the same order, so they are compared in pairs; without shared seeds
Welch's t takes over.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from studies.statistics.interval import ROUNDING, Interval
from studies.statistics.intervals import finite

if TYPE_CHECKING:
    from numpy.typing import NDArray

Design = Literal["paired", "unpaired"]

# Below six pairs no sign flip can reach p < 0.05; above forty the exact count takes too long.
SIGN_FLIP_PAIRS = range(6, 41)


@dataclass(frozen=True)
class Samples:
    """Two samples ready to be compared.

    Attributes:
        a, b: one value per run, (n_a,) and (n_b,); in a paired design position i of both has the same seed.
        design: whether they are paired.
        left_out: runs of A or B without a partner or a value, which do not count.
    """

    a: tuple[float, ...]
    b: tuple[float, ...]
    design: Design
    left_out: int = 0


def by_seed(a: Mapping[int, float | None], b: Mapping[int, float | None]) -> Samples:
    """Pair the runs of two configurations by seed, {seed: value} each.

    They are paired where every seed of one (two at least) is a seed of the other too; else all runs are two independent
    samples. Runs whose value is None or NaN do not count.
    """
    known_a, known_b = _known(a), _known(b)
    shared = sorted(known_a.keys() & known_b.keys())
    missing = len(a) + len(b) - len(known_a) - len(known_b)
    if len(shared) >= 2 and len(shared) == min(len(known_a), len(known_b)):
        alone = len(known_a) + len(known_b) - 2 * len(shared)
        return Samples(
            tuple(known_a[seed] for seed in shared), tuple(known_b[seed] for seed in shared), "paired", missing + alone
        )
    return Samples(
        tuple(known_a[seed] for seed in sorted(known_a)),
        tuple(known_b[seed] for seed in sorted(known_b)),
        "unpaired",
        missing,
    )


@dataclass(frozen=True)
class Difference:
    """The difference of two means, A minus B, as a t statistic.

    Attributes:
        mean: mean(A) - mean(B).
        error: its standard error; 0 where all runs of each sample are equal.
        degrees: degrees of freedom: n - 1 of a paired design, else those of Welch and Satterthwaite.
        n: pairs, or runs of the smaller sample.
    """

    mean: float
    error: float
    degrees: float
    n: int

    def interval(self, confidence: float = 0.95) -> Interval:
        """Return the interval mean -+ t_{(1+confidence)/2, degrees} * error."""
        half = self.half_width(confidence)
        return Interval(self.mean, self.mean - half, self.mean + half, self.n)

    def half_width(self, confidence: float = 0.95) -> float:
        """Return t_{(1+confidence)/2, degrees} * error."""
        from scipy.stats import t

        return float(t.ppf((1 + confidence) / 2, self.degrees)) * self.error if self.error else 0.0

    def p(self, shift: float = 0.0) -> float:
        """Return the two-sided p of the t test that the true difference is `shift`."""
        return min(1.0, 2 * min(self.p_above(shift), self.p_below(shift)))

    def p_equivalent(self, margin: float) -> float:
        """Return the p of the two one-sided tests (TOST) that the true difference is at least `margin` away from zero.

        Schuirmann, "A comparison of the two one-sided tests procedure" (1987), doi:10.1007/BF01068419.
        """
        return max(self.p_above(-margin), self.p_below(margin))

    def p_above(self, shift: float) -> float:
        """Return the one-sided p against a true difference of at most `shift`: small where the difference is above."""
        from scipy.stats import t

        return float(t.sf((self.mean - shift) / self.error, self.degrees)) if self.error else float(self.mean <= shift)

    def p_below(self, shift: float) -> float:
        """Return the one-sided p against a true difference of at least `shift`: small where the difference is below."""
        from scipy.stats import t

        return float(t.cdf((self.mean - shift) / self.error, self.degrees)) if self.error else float(self.mean >= shift)


def difference(samples: Samples) -> Difference:
    """Compute the difference of means A - B with its standard error: paired t, or Welch's t for an unpaired design.

    Raises:
        ValueError: if a sample has fewer than two runs.
    """
    a, b = samples.a, samples.b
    if min(len(a), len(b)) < 2:
        raise ValueError(f"a difference needs two runs in each sample, got {len(a)} and {len(b)}; run more seeds.")
    if samples.design == "paired":
        each = [x - y for x, y in zip(a, b, strict=True)]
        mean, variance = _mean_and_variance(each, scale=max(map(abs, (*a, *b))))
        return Difference(mean, math.sqrt(variance / len(each)), len(each) - 1, len(each))
    return welch(mean_with_error(a), mean_with_error(b))


@dataclass(frozen=True)
class MeanWithError:
    """The mean of one sample of n values and its squared standard error s^2 / n."""

    mean: float
    squared_error: float
    n: int


def mean_with_error(values: Sequence[float]) -> MeanWithError:
    """Return the mean of two values or more with its squared standard error."""
    mean, variance = _mean_and_variance(values, max(map(abs, values)))
    return MeanWithError(mean, variance / len(values), len(values))


def welch(a: MeanWithError, b: MeanWithError, squared_rounding: float = 0.0) -> Difference:
    """Return the difference of two independent means A - B with its standard error and Welch's degrees of freedom.

    Degrees: (u + v)^2 / (u^2 / (n_a - 1) + v^2 / (n_b - 1)) for the squared standard errors u and v of the means;
    Satterthwaite, "An approximate distribution of estimates of variance components" (1946), doi:10.2307/3002019.

    Args:
        squared_rounding: variance added to that of the difference, of a mean known only as printed.
    """
    total = a.squared_error + b.squared_error
    parts = a.squared_error**2 / (a.n - 1) + b.squared_error**2 / (b.n - 1)
    degrees = total**2 / parts if parts else float(a.n + b.n - 2)  # without any spread they are not defined
    return Difference(a.mean - b.mean, math.sqrt(total + squared_rounding), degrees, min(a.n, b.n))


def sign_flip_p(differences: Sequence[float]) -> float | None:
    """Compute the exact two-sided p of the sign-flip test: the share of the 2^n sums at least as far from 0.

    None below six pairs, where it cannot fall under 0.05, and above forty. Two halves of the pairs are enumerated and
    joined by sorting, so it costs 2^(n/2).

    Args:
        differences: A - B of each pair, (n_pairs,).
    """
    import numpy as np

    n = len(differences)
    if n not in SIGN_FLIP_PAIRS:
        return None
    observed = abs(math.fsum(differences))
    slack = 1e-9 * math.fsum(abs(value) for value in differences)  # equal sums differ in their last bits
    left = _signed_sums(differences[: n // 2])
    right = np.sort(_signed_sums(differences[n // 2 :]))
    at_least = len(right) - np.searchsorted(right, observed - slack - left, side="left")
    at_most = np.searchsorted(right, -observed + slack - left, side="right")
    return min(1.0, float(at_least.sum() + at_most.sum()) / 2.0**n)


def smallest_sign_flip_p(n_pairs: int) -> float:
    """Return the smallest two-sided p a sign-flip test over n pairs can give: 2 / 2^n."""
    return float(min(1.0, 2.0 ** (1 - n_pairs)))


def probability_above(a: Sequence[float], b: Sequence[float]) -> float:
    """Compute P(A > B): the share of all pairs of a run of A and one of B where A is above, equal ones counted half.

    The Mann-Whitney U over n_a n_b; Agarwal et al. (2021), https://arxiv.org/abs/2108.13264.
    """
    import numpy as np

    x, y = np.asarray(a, dtype=float)[:, None], np.asarray(b, dtype=float)[None, :]
    return float(((x > y) + 0.5 * (x == y)).mean())


def holm_adjusted(p_values: Sequence[float]) -> list[float]:
    """Compute Holm's adjusted p values: p_(i) times m - i + 1, made monotone, at most 1; in the order given.

    Holm, "A simple sequentially rejective multiple test procedure" (1979), https://www.jstor.org/stable/4615733.
    """
    adjusted, highest = [0.0] * len(p_values), 0.0
    for rank, i in enumerate(_ascending(p_values)):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[i]))
        adjusted[i] = highest
    return adjusted


def holm_levels(p_values: Sequence[float], alpha: float = 0.05) -> list[float]:
    """Return the level each test of a family is judged at, so that an interval 1 - level excludes 0 where Holm rejects.

    The i-th smallest of m p values is judged at alpha / (m - i + 1); from the first one that is not rejected on, all
    are judged at its level.
    """
    m = len(p_values)
    levels, level = [alpha] * m, alpha
    stopped = False
    for rank, i in enumerate(_ascending(p_values)):
        if not stopped:
            level = alpha / (m - rank)
            stopped = p_values[i] > level
        levels[i] = level
    return levels


def _ascending(p_values: Sequence[float]) -> list[int]:
    return sorted(range(len(p_values)), key=lambda i: p_values[i])


def _known(values: Mapping[int, float | None]) -> dict[int, float]:
    return {seed: float(value) for seed, value in values.items() if value is not None and finite([value])}


def _mean_and_variance(values: Sequence[float], scale: float) -> tuple[float, float]:
    """Compute mean and unbiased variance; anything within the rounding of numbers of size `scale` counts as zero."""
    rounding = ROUNDING * scale
    mean = math.fsum(values) / len(values)
    variance = math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1)
    return mean if abs(mean) > rounding else 0.0, variance if variance > rounding**2 else 0.0


def _signed_sums(values: Sequence[float]) -> NDArray[Any]:
    """Compute the sums of all sign patterns of the values, (2^len(values),)."""
    import numpy as np

    sums = np.zeros(1)
    for value in values:
        sums = np.concatenate([sums + value, sums - value])
    return sums
