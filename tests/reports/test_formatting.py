"""Numbers show the digits their interval supports."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.exact_values import exact_floats, exact_json, map_distinct
from reports.formatting import aligned, mean_text, parameter, phrase, plural, range_text, significant, told_apart
from studies.statistics.interval import Interval


@pytest.mark.parametrize(
    ("interval", "mean", "range_"),
    [
        (Interval(0.95712, 0.9511, 0.9631, 3), "0.9571", "[0.9511, 0.9631]"),
        (Interval(0.95712, 0.897, 1.017, 3), "0.957", "[0.897, 1.017]"),
        (Interval(0.5, 0.1, 0.9, 2), "0.50", "[0.10, 0.90]"),
        (Interval(123.4, 100.0, 146.8, 3), "123", "[100, 147]"),
        (Interval(0.95712, None, None, 1), "0.9571", "–"),
        (Interval(0.0012345, None, None, 1), "0.001234", "–"),
        (Interval(1.0, 1.0, 1.0, 3), "1.000", "[1.000, 1.000]"),
        (Interval(None, None, None, 0), "–", "–"),
    ],
)
def test_an_estimate_is_written_to_two_digits_of_its_half_width(interval: Interval, mean: str, range_: str) -> None:
    assert (mean_text(interval), range_text(interval)) == (mean, range_)


@given(st.floats(0, 1), st.floats(1e-6, 0.5))
def test_what_is_left_out_of_a_mean_is_small_against_its_interval(mean: float, half: float) -> None:
    shown = float(mean_text(Interval(mean, mean - half, mean + half, 3)))
    assert abs(shown - mean) <= 0.051 * half


@given(st.floats(1e-4, 1e9))
def test_significant_digits_agree_with_decimal_arithmetic(value: float) -> None:
    expected = Decimal(f"{value:.2e}")
    assert Decimal(significant(value).replace(",", "")) == expected


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.42, "0.420"), (0.0999999, "0.100"), (1234567.0, "1,230,000"), (0.0, "0"), (None, "–"), (1e-9, "1.00e-09")],
)
def test_ratios_and_costs_have_three_significant_digits(value: float | None, text: str) -> None:
    assert significant(value) == text


def test_decimal_points_of_a_column_stand_below_each_other() -> None:
    texts = aligned(["0.9571", "12.5", "3", "–"])
    assert [len(text) - text.find(".") for text in texts[:2]] == [5, 5]
    assert len(texts[2]) - 1 == 5
    assert [text.rstrip("\u2007\u2008") for text in texts] == ["0.9571", "12.5", "3", "–"]


def test_a_sentence_names_the_interval_and_the_seeds() -> None:
    assert phrase(Interval(0.95, 0.94, 0.96, 3)) == "0.950 (95\u00a0% interval [0.940, 0.960], 3 seeds)"
    assert phrase(Interval(0.95, None, None, 1)) == "0.9500 (1 seed, no interval)"


def test_searched_values_read_as_they_are_typed() -> None:
    assert [parameter(v) for v in (0.00123456, 999.9, 2000.0, 96, "relu", [10, 10], True, None)] == [
        "0.00123", "1000", "2000", "96", "relu", "[10, 10]", "true", "–",
    ]  # fmt: skip


def test_one_is_singular() -> None:
    assert (plural(1, "trial"), plural(2000, "trial")) == ("1 trial", "2,000 trials")


@given(st.lists(st.floats() | st.none()))
def test_many_floats_are_written_as_python_writes_each(values: list[float | None]) -> None:
    assert exact_floats(values) == ["" if value is None else repr(value) for value in values]


@given(st.integers(-5, 17), st.integers(1, 10**17))
def test_floats_near_the_first_exponent_are_written_as_python_writes_them(power: int, digits: int) -> None:
    values = [float(f"{digits}e{power - len(str(digits))}"), -(10.0**power), math.nextafter(10.0**power, 0)]
    assert exact_floats(values) == [repr(value) for value in values]


SOME_VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 3), st.floats(allow_nan=False),
    st.sampled_from(["a", "1", 1.0, 0.0, -0.0]), st.lists(st.integers(0, 1)),
)  # fmt: skip


@given(st.lists(SOME_VALUES))
def test_mapping_distinct_values_once_changes_nothing(values: list[Any]) -> None:
    assert map_distinct(exact_json, values) == [exact_json(value) for value in values]


@given(st.lists(st.text("abc", max_size=40), min_size=1, max_size=12), st.integers(8, 20))
def test_shortened_labels_stay_different(labels: list[str], length: int) -> None:
    found = told_apart(labels, length)
    assert len(set(found.values())) == len(set(labels))
    assert all(len(text) <= length for text in found.values())
