"""Every number against scipy, a slow obvious version, or a textbook example."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from studies.statistics.paired_tests import (
    MeanWithError,
    Samples,
    by_seed,
    difference,
    holm_adjusted,
    holm_levels,
    probability_above,
    sign_flip_p,
    smallest_sign_flip_p,
    welch,
)

A = (0.91, 0.95, 0.93, 0.97, 0.92)
B = (0.90, 0.91, 0.94, 0.93, 0.90)
numbers = st.floats(-10, 10).map(lambda value: round(value, 3))


def test_shared_seeds_are_paired() -> None:
    found = by_seed({0: 0.1, 1: 0.2, 2: None, 5: 0.4}, {5: 0.8, 1: 0.6, 0: 0.5})
    assert found == Samples((0.1, 0.2, 0.4), (0.5, 0.6, 0.8), "paired", left_out=1)
    more_seeds_on_one_side = by_seed({0: 0.1, 1: 0.2, 2: 0.3}, {0: 0.4, 2: 0.5})
    assert more_seeds_on_one_side == Samples((0.1, 0.3), (0.4, 0.5), "paired", left_out=1)


@pytest.mark.parametrize("b", [{7: 0.4, 8: 0.5}, {2: 0.4}, {1: 0.4, 2: 0.4, 3: 0.5}, {0: math.nan, 1: 0.3}])
def test_seeds_that_do_not_match_are_two_samples(b: dict[int, float]) -> None:
    found = by_seed({0: 0.1, 1: 0.2, 2: 0.3}, b)
    assert found.design == "unpaired"
    assert found.a == (0.1, 0.2, 0.3)
    assert len(found.b) + found.left_out == len(b)


@given(st.lists(st.tuples(numbers, numbers), min_size=2, max_size=12))
def test_paired_difference_is_the_paired_t_test_of_scipy(pairs: list[tuple[float, float]]) -> None:
    a, b = map(tuple, zip(*pairs, strict=True))
    found = difference(Samples(a, b, "paired"))
    if found.error == 0:
        return
    expected = stats.ttest_rel(a, b)
    assert found.p() == pytest.approx(expected.pvalue, abs=1e-9)
    low, high = expected.confidence_interval(0.9)
    assert [found.interval(0.9).low, found.interval(0.9).high] == pytest.approx([low, high], abs=1e-9)


@given(st.lists(numbers, min_size=2, max_size=9), st.lists(numbers, min_size=2, max_size=9))
def test_unpaired_difference_is_the_t_test_of_welch_in_scipy(a: list[float], b: list[float]) -> None:
    found = difference(Samples(tuple(a), tuple(b), "unpaired"))
    if found.error == 0:
        return
    expected = stats.ttest_ind(a, b, equal_var=False)
    assert found.p() == pytest.approx(expected.pvalue, abs=1e-9)
    low, high = expected.confidence_interval(0.95)
    assert [found.interval().low, found.interval().high] == pytest.approx([low, high], abs=1e-9)


def test_one_run_has_no_difference() -> None:
    with pytest.raises(ValueError, match="two runs in each sample, got 1 and 1"):
        difference(Samples((0.1,), (0.2,), "paired"))


def test_rounding_is_no_spread() -> None:
    found = difference(Samples((0.1 + 0.2, 0.9), (0.3, 0.9), "paired"))
    assert (found.mean, found.error) == (0, 0)
    assert found.p() == 1.0
    assert (found.interval().low, found.interval().high) == (0, 0)


@pytest.mark.parametrize("margin", [0.01, 0.05])
def test_equivalence_p_is_the_larger_of_two_one_sided_tests(margin: float) -> None:
    each = np.subtract(A, B)
    above = stats.ttest_1samp(each, -margin, alternative="greater").pvalue
    below = stats.ttest_1samp(each, margin, alternative="less").pvalue
    assert difference(Samples(A, B, "paired")).p_equivalent(margin) == pytest.approx(max(above, below))


@given(st.lists(numbers, min_size=6, max_size=10))
def test_sign_flip_p_counts_all_patterns(differences: list[float]) -> None:
    observed = abs(sum(differences))
    patterns = itertools.product((1, -1), repeat=len(differences))
    sums = [abs(sum(sign * value for sign, value in zip(signs, differences, strict=True))) for signs in patterns]
    expected = np.mean([total >= observed - 1e-6 for total in sums])
    assert sign_flip_p(differences) == pytest.approx(expected)


def test_sign_flip_p_is_exact_for_many_pairs() -> None:
    ones = [1.0] * 30  # the sign test: P(at most 5 or at least 25 of 30 heads)
    ones[:5] = [-1.0] * 5
    assert sign_flip_p(ones) == pytest.approx(2 * stats.binom.cdf(5, 30, 0.5))


@pytest.mark.parametrize("n", [5, 41])
def test_sign_flip_p_is_not_given_where_it_cannot_help(n: int) -> None:
    assert sign_flip_p([1.0] * n) is None


@pytest.mark.parametrize("n", [6, 10])
def test_smallest_p_is_reached_where_all_pairs_agree(n: int) -> None:
    assert sign_flip_p([0.1 * (i + 1) for i in range(n)]) == smallest_sign_flip_p(n)
    assert smallest_sign_flip_p(5) == 0.0625
    assert smallest_sign_flip_p(0) == 1.0


@given(st.lists(numbers, min_size=1, max_size=8), st.lists(numbers, min_size=1, max_size=8))
def test_probability_is_the_mann_whitney_u(a: list[float], b: list[float]) -> None:
    u = stats.mannwhitneyu(a, b, method="asymptotic").statistic
    assert probability_above(a, b) == pytest.approx(u / (len(a) * len(b)))
    assert probability_above(a, b) + probability_above(b, a) == pytest.approx(1)


def test_holm_worked_out_by_hand() -> None:
    p = [0.01, 0.04, 0.03, 0.005]
    assert holm_adjusted(p) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    # 0.005 <= .05/4, 0.01 <= .05/3, 0.03 > .05/2: it and all above it are judged at .05/2
    assert holm_levels(p) == pytest.approx([0.05 / 3, 0.05 / 2, 0.05 / 2, 0.05 / 4])
    assert holm_adjusted([]) == holm_levels([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_the_level_of_a_test_agrees_with_its_adjusted_p(p_values: list[float]) -> None:
    by_level = [p <= level for p, level in zip(p_values, holm_levels(p_values), strict=True)]
    by_p = [p <= 0.05 for p in holm_adjusted(p_values)]
    close_call = any(abs(p - 0.05) < 1e-12 for p in holm_adjusted(p_values))
    assert close_call or by_level == by_p


def test_welch_from_means_and_errors_is_that_of_scipy() -> None:
    a, b = MeanWithError(0.97, 0.01**2, 5), MeanWithError(0.95, 0.004**2, 20)
    found = welch(a, b)
    expected = stats.ttest_ind_from_stats(0.97, 0.01 * 5**0.5, 5, 0.95, 0.004 * 20**0.5, 20, equal_var=False)
    assert found.p() == pytest.approx(expected.pvalue)
    assert found.interval().high == pytest.approx(found.mean + found.half_width())
    assert welch(a, b, squared_rounding=0.005**2 / 3).error > found.error
