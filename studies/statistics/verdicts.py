"""Verdicts on whether A is better than B, decided by a confidence interval only.

    A better, B better       the interval of the difference excludes zero
    equivalent within margin the interval is within the margin given, whether or not it includes zero
    no difference shown      neither; more seeds may show one, so it is never called "the same"
    not comparable           with the reason

The interval is paired t (Welch's t where seeds are not shared) at the level Holm's step gives it among all comparisons
made together. The exact sign-flip p, P(A > B) and the p of the equivalence test stand beside it and decide nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from hnet_core.errors import ConfigInvalid
from studies.statistics.interval import Interval
from studies.statistics.intervals import t_interval
from studies.statistics.paired_tests import (
    Design,
    Difference,
    Samples,
    difference,
    holm_adjusted,
    holm_levels,
    probability_above,
    sign_flip_p,
    smallest_sign_flip_p,
)

A_BETTER: Literal["A better"] = "A better"
B_BETTER: Literal["B better"] = "B better"
NO_DIFFERENCE: Literal["no difference shown"] = "no difference shown"
EQUIVALENT: Literal["equivalent within margin"] = "equivalent within margin"
NOT_COMPARABLE: Literal["not comparable"] = "not comparable"
Answer = Literal["A better", "B better", "no difference shown", "equivalent within margin", "not comparable"]
ANSWERS: tuple[Answer, ...] = (A_BETTER, B_BETTER, NO_DIFFERENCE, EQUIVALENT, NOT_COMPARABLE)


@dataclass(frozen=True)
class Verdict:
    """The answer to one comparison with all its numbers.

    Attributes:
        answer: one of ANSWERS.
        reason: why A and B are not comparable, else None.
        a, b: mean and 95 % t interval of each; in a paired design of the paired runs.
        design: paired (by seed) or unpaired (Welch); None where not comparable.
        difference: mean(A) - mean(B) and the interval that decided; None where not comparable.
        confidence: level of that interval, such as 0.95, or 0.99 for the smallest p of a family of five.
        family: how many comparisons were made together.
        p, p_holm: of the t test, raw and Holm-adjusted.
        p_sign_flip: exact, beside the interval; None below six pairs, above forty, or in an unpaired design.
        p_smallest: the smallest sign-flip p this number of pairs can give; None in an unpaired design.
        probability_a_better: P(a run of A is better than one of B), 0.5 where nothing speaks for either.
        margin: differences up to it do not matter to the user; None where no margin was named.
        p_equivalent: of the two one-sided tests against the margin, not adjusted for the family.
        left_out: runs that had no partner or no value.
    """

    answer: Answer
    reason: str | None
    a: Interval
    b: Interval
    design: Design | None = None
    difference: Interval | None = None
    confidence: float | None = None
    family: int = 1
    p: float | None = None
    p_holm: float | None = None
    p_sign_flip: float | None = None
    p_smallest: float | None = None
    probability_a_better: float | None = None
    margin: float | None = None
    p_equivalent: float | None = None
    left_out: int = 0

    def __str__(self) -> str:
        """Return the answer in the fixed vocabulary, with the reason where there is one."""
        return self.answer if self.reason is None else f"{self.answer}: {self.reason}"

    def to_dict(self) -> dict[str, Any]:
        """Return all numbers as JSON shows them; intervals as {"mean", "low", "high", "n"}."""
        return asdict(self)


def judge(
    family: Sequence[Samples],
    *,
    better: Literal["higher", "lower"] = "higher",
    alpha: float = 0.05,
    margin: float | None = None,
) -> list[Verdict]:
    """Judge comparisons together: at most `alpha` of such families contain a false "better".

    A comparison that is not comparable takes no part in the adjustment. With a margin the same interval must lie
    within it, which is stricter than two one-sided tests: equivalence is wrongly claimed in at most alpha / 2 of cases.

    Args:
        family: see `studies.statistics.paired_tests.by_seed`.
        better: which direction of the values is better.
        margin: largest difference that does not matter, in the unit of the values; None: equivalence is not tested.

    Raises:
        ConfigInvalid: if the margin is not positive or alpha is not between 0 and 1.
    """
    if margin is not None and not 0 < margin < float("inf"):
        raise ConfigInvalid(f"the margin must be a positive number, got {margin}.")
    if not 0 < alpha < 1:
        raise ConfigInvalid(f"alpha must be between 0 and 1, got {alpha}.")
    reasons = [_why_not(samples) for samples in family]
    differences = {i: difference(family[i]) for i, reason in enumerate(reasons) if reason is None}
    p_values = [one.p() for one in differences.values()]
    levels = dict(zip(differences, holm_levels(p_values, alpha), strict=True))
    adjusted = dict(zip(differences, holm_adjusted(p_values), strict=True))
    return [
        not_comparable(str(reasons[i]), samples)
        if i not in differences
        else _verdict(samples, differences[i], levels[i], adjusted[i], len(differences), better, margin)
        for i, samples in enumerate(family)
    ]


def not_comparable(reason: str, samples: Samples) -> Verdict:
    """Make the verdict for a pair that must not be compared, such as "different budgets: 2000 and 500 iterations"."""
    return Verdict(NOT_COMPARABLE, reason, t_interval(samples.a), t_interval(samples.b), left_out=samples.left_out)


def _why_not(samples: Samples) -> str | None:
    n_a, n_b = len(samples.a), len(samples.b)
    if min(n_a, n_b) < 2:
        return f"at least 2 seeds of each are needed, got {n_a} and {n_b}"
    found = difference(samples)
    if found.error == 0 and found.mean != 0:
        return (
            f"every {'pair' if samples.design == 'paired' else 'run'} differs by the same, so chance cannot be judged"
        )
    return None


def _verdict(
    samples: Samples,
    found: Difference,
    level: float,
    p_holm: float,
    family: int,
    better: Literal["higher", "lower"],
    margin: float | None,
) -> Verdict:
    interval = found.interval(1 - level)
    paired = samples.design == "paired"
    above = probability_above(samples.a, samples.b)
    return Verdict(
        answer=_answer(interval, better, margin),
        reason=None,
        a=t_interval(samples.a),
        b=t_interval(samples.b),
        design=samples.design,
        difference=interval,
        confidence=1 - level,
        family=family,
        p=found.p(),
        p_holm=p_holm,
        p_sign_flip=sign_flip_p([x - y for x, y in zip(samples.a, samples.b, strict=True)]) if paired else None,
        p_smallest=smallest_sign_flip_p(len(samples.a)) if paired else None,
        probability_a_better=above if better == "higher" else 1 - above,
        margin=margin,
        p_equivalent=None if margin is None else found.p_equivalent(margin),
        left_out=samples.left_out,
    )


def _answer(interval: Interval, better: Literal["higher", "lower"], margin: float | None) -> Answer:
    low, high = interval.low, interval.high
    assert low is not None and high is not None  # an interval of a Difference always has bounds
    if margin is not None and -margin < low and high < margin:
        return EQUIVALENT
    if low > 0 or high < 0:
        return A_BETTER if (low > 0) == (better == "higher") else B_BETTER
    return NO_DIFFERENCE
