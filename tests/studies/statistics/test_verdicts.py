from __future__ import annotations

import json

import numpy as np
import pytest

from hnet_core.errors import ConfigInvalid
from perf.calibration import coverage, verdict_rate
from studies.statistics.paired_tests import Samples
from studies.statistics.verdicts import (
    A_BETTER,
    B_BETTER,
    EQUIVALENT,
    NO_DIFFERENCE,
    NOT_COMPARABLE,
    judge,
    not_comparable,
)

CLEAR = Samples((0.91, 0.95, 0.93, 0.97, 0.92, 0.94), (0.81, 0.84, 0.83, 0.88, 0.83, 0.83), "paired")
UNCLEAR = Samples((0.91, 0.95, 0.93), (0.90, 0.91, 0.97), "paired")


def test_a_clear_difference_is_a_verdict_in_the_direction_that_is_better() -> None:
    (verdict,) = judge([CLEAR])
    assert str(verdict) == verdict.answer == A_BETTER
    assert judge([CLEAR], better="lower")[0].answer == B_BETTER
    assert verdict.difference is not None
    assert verdict.difference.mean == pytest.approx(0.1)
    assert (verdict.confidence, verdict.family, verdict.design) == (0.95, 1, "paired")
    assert verdict.p == verdict.p_holm
    assert verdict.p_sign_flip == verdict.p_smallest == 2 / 2**6
    assert verdict.probability_a_better == 1.0
    assert judge([CLEAR], better="lower")[0].probability_a_better == 0.0


def test_an_interval_around_zero_shows_no_difference_and_five_pairs_have_no_sign_flip_p() -> None:
    (verdict,) = judge([UNCLEAR])
    assert verdict.answer == NO_DIFFERENCE
    assert verdict.p_sign_flip is None
    assert verdict.p_smallest == 0.25, "no p below 0.25 can come out of three pairs, and the reader is told"


def test_equivalence_needs_the_whole_interval_within_the_margin() -> None:
    low, high = judge([UNCLEAR])[0].difference.low, judge([UNCLEAR])[0].difference.high  # type: ignore[union-attr]
    reach = max(-low, high)  # type: ignore[operator, type-var]
    assert judge([UNCLEAR], margin=1.01 * reach)[0].answer == EQUIVALENT
    assert judge([UNCLEAR], margin=0.99 * reach)[0].answer == NO_DIFFERENCE
    assert judge([CLEAR], margin=0.2)[0].answer == EQUIVALENT, "a difference the user called too small to matter"
    assert judge([CLEAR], margin=0.05)[0].answer == A_BETTER
    assert judge([CLEAR], margin=0.2)[0].p_equivalent == pytest.approx(0, abs=1e-4)


def test_a_family_is_judged_more_strictly_than_each_alone() -> None:
    barely = Samples((0.90, 0.92, 0.95, 0.93, 0.91), (0.89, 0.90, 0.93, 0.90, 0.91), "paired")
    (alone,) = judge([barely])
    assert alone.answer == A_BETTER
    in_family, *_ = judge([barely, UNCLEAR, UNCLEAR])
    assert in_family.answer == NO_DIFFERENCE
    assert in_family.confidence == pytest.approx(1 - 0.05 / 3)
    assert in_family.p == alone.p
    assert in_family.p_holm == pytest.approx(3 * alone.p)  # type: ignore[operator]
    assert in_family.family == 3


def test_unpaired_samples_go_by_the_test_of_welch() -> None:
    (verdict,) = judge([Samples(CLEAR.a, CLEAR.b[:4], "unpaired")])
    assert (verdict.answer, verdict.design) == (A_BETTER, "unpaired")
    assert verdict.p_sign_flip is verdict.p_smallest is None


@pytest.mark.parametrize(
    ("samples", "reason"),
    [
        (Samples((0.9,), (0.8, 0.7), "unpaired"), "at least 2 seeds of each are needed, got 1 and 2"),
        (Samples((), (), "unpaired"), "at least 2 seeds of each are needed, got 0 and 0"),
        (Samples((0.9, 0.8), (0.8, 0.7), "paired"), "every pair differs by the same, so chance cannot be judged"),
        (Samples((0.9, 0.9), (0.8, 0.8), "unpaired"), "every run differs by the same, so chance cannot be judged"),
    ],
)
def test_what_cannot_be_judged_is_not_comparable_and_says_why(samples: Samples, reason: str) -> None:
    verdict, clear = judge([samples, CLEAR])
    assert (verdict.answer, str(verdict)) == (NOT_COMPARABLE, f"not comparable: {reason}")
    assert verdict.difference is None
    assert clear.family == 1, "it takes no part in the adjustment"


def test_equal_runs_show_no_difference_and_are_equivalent() -> None:
    same = Samples(CLEAR.a, CLEAR.a, "paired")
    assert judge([same])[0].answer == NO_DIFFERENCE
    assert judge([same], margin=0.001)[0].answer == EQUIVALENT


def test_the_caller_can_refuse_a_comparison_with_its_own_reason() -> None:
    verdict = not_comparable("different budgets", CLEAR)
    assert str(verdict) == "not comparable: different budgets"
    assert verdict.a.mean == pytest.approx(np.mean(CLEAR.a))


def test_a_verdict_is_plain_json() -> None:
    content = json.loads(json.dumps(judge([CLEAR])[0].to_dict()))
    assert list(content["difference"]) == ["mean", "low", "high", "n"]


@pytest.mark.parametrize("margin", [0, -0.1, float("nan"), float("inf")])
def test_a_margin_must_be_positive(margin: float) -> None:
    with pytest.raises(ConfigInvalid, match="margin must be a positive number"):
        judge([CLEAR], margin=margin)


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "low", "high"), [("t95", 0.93, 0.97), ("sem", 0.55, 0.70), ("bootstrap", 0.72, 0.95)])
@pytest.mark.parametrize("n", [3, 5, 10, 20])
def test_intervals_cover_as_often_as_is_said_of_them(kind: str, low: float, high: float, n: int) -> None:
    repeats = 1000 if kind == "bootstrap" else 4000
    assert low <= coverage(kind, n, repeats, np.random.default_rng(n)) <= high


@pytest.mark.slow
@pytest.mark.parametrize("design", ["paired", "unpaired"])
def test_verdicts_of_a_thousand_simulated_pairs_keep_their_promises(design: str) -> None:
    def rate(answers: set[str], effect: float, **options: float) -> float:
        return verdict_rate(answers, effect, design=design, rng=np.random.default_rng(3), **options)  # type: ignore[arg-type]

    assert rate({A_BETTER, B_BETTER}, 0.0) <= 0.065
    assert rate({A_BETTER, B_BETTER}, 0.0, family=5) <= 0.065, "one false verdict in a family of five"
    assert rate({EQUIVALENT}, 1.0, margin=1.0) <= 0.065
    assert rate({A_BETTER}, 1.5) >= (0.9 if design == "paired" else 0.85), "unpaired n = 10 has a power of 0.89"
    assert rate({EQUIVALENT}, 0.0, margin=2.0) >= 0.9
