"""Scales place values where they belong and label them readably."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.drawing.scales import ContinuousScale, ErrorScale, LinearScale, LogScale, OrdinalScale, padded, padded_log

PIXELS = (50.0, 450.0)
positive = st.floats(1e-6, 1e6)


@pytest.mark.parametrize("scale", [LinearScale((0.8, 1.0), PIXELS), LogScale((0.01, 2.0), PIXELS)])
def test_the_ends_of_the_domain_are_the_ends_of_the_axis(scale: ContinuousScale) -> None:
    assert scale(scale.domain[0]) == pytest.approx(50)
    assert scale(scale.domain[1]) == pytest.approx(450)


def test_a_log_scale_puts_the_geometric_mean_in_the_middle() -> None:
    assert LogScale((0.01, 1.0), PIXELS)(0.1) == pytest.approx(250)


@given(positive, st.floats(1.001, 1e6))
def test_ticks_lie_inside_the_domain_and_grow(low: float, factor: float) -> None:
    for scale in (LinearScale((low, low * factor), PIXELS), LogScale((low, low * factor), PIXELS)):
        ticks = scale.ticks()
        assert 2 <= sum(1 for tick in ticks if tick.label) <= 12
        assert all(50 - 1e-6 <= scale(tick.value) <= 450 + 1e-6 for tick in ticks)
        assert all(a.value < b.value for a, b in pairwise(ticks))


@given(positive, st.floats(1.001, 1e6))
def test_no_two_labels_of_an_axis_are_the_same(low: float, factor: float) -> None:
    for scale in (LinearScale((low, low * factor), PIXELS), LogScale((low, low * factor), PIXELS)):
        labels = [tick.label for tick in scale.ticks() if tick.label]
        assert len(set(labels)) == len(labels)


@pytest.mark.parametrize(
    ("scale", "labels"),
    [
        (LinearScale((0.0, 1.0), PIXELS), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
        (LinearScale((0.951, 0.957), PIXELS), ["0.951", "0.952", "0.953", "0.954", "0.955", "0.956", "0.957"]),
        (LogScale((0.04, 1.1), PIXELS), ["0.05", "0.1", "0.2", "0.3", "0.5", "1"]),
        (LogScale((0.31, 0.39), PIXELS), ["0.32", "0.34", "0.36", "0.38"]),
    ],
)
def test_ticks_are_round_numbers(scale: ContinuousScale, labels: list[str]) -> None:
    assert [tick.label for tick in scale.ticks() if tick.label] == labels


def test_long_labels_of_a_short_axis_keep_clear_of_each_other() -> None:
    labels = [tick.label for tick in LogScale((800.0, 50_000.0), (50.0, 460.0)).ticks() if tick.label]
    assert labels == ["1000", "2000", "5000", "10000", "20000", "50000"]
    assert "30000" in [tick.label for tick in LogScale((700.0, 50_000.0), (460.0, 50.0)).ticks()]


def test_choices_get_equal_slots_in_the_order_given() -> None:
    scale = OrdinalScale(("8", "128", "12"), (0.0, 300.0), ("8", "128", "12"))
    assert [scale(value) for value in scale.values] == [50, 150, 250]


def test_crowded_choices_keep_their_ticks_and_lose_some_labels() -> None:
    values = tuple(str(i) for i in range(100))
    ticks = OrdinalScale(values, (0.0, 400.0), values).ticks()
    assert len(ticks) == 100
    assert 5 <= sum(1 for tick in ticks if tick.label) <= 20


def test_words_are_cut_until_they_fit_and_are_never_left_out() -> None:
    words = ("hnet", "partial_hnet", "hypermask", "finetune", "scratch", "joint")
    labels = [tick.label for tick in OrdinalScale(words, (0.0, 410.0), words, is_ordered=False).ticks()]
    assert labels == ["hnet", "partial…", "hyperma…", "finetune", "scratch", "joint"]
    alike = tuple(f"the same for long {i}" for i in range(6))
    ticks = OrdinalScale(alike, (0.0, 410.0), alike, is_ordered=False).ticks()
    assert len(ticks) == 6 and {tick.label for tick in ticks} <= {"", *alike}


@given(positive)
def test_a_single_value_still_gets_a_range(value: float) -> None:
    for low, high in (padded(value, value), padded_log([value])):
        assert low < value < high


@pytest.mark.parametrize("scale", [LinearScale((0.0, 2.0), (50.0, 900.0)), LogScale((0.01, 2.0), (500.0, 30.0))])
def test_a_scale_places_many_values_as_it_places_each(scale: ContinuousScale) -> None:
    values = np.random.default_rng(0).uniform(0.02, 1.9, 100)
    assert scale.each(values) == pytest.approx([scale(value) for value in values.tolist()], rel=1e-14)


@given(st.lists(st.floats(0, 1), min_size=2, max_size=20))
def test_a_scale_of_errors_rises_with_the_share_and_stays_on_its_pixels(shares: list[float]) -> None:
    scale = ErrorScale((0.5, 1.0), (448.0, 34.0), 0.001)
    inside = sorted(share for share in shares if share >= 0.5)
    pixels = [scale(share) for share in inside]
    assert pixels == sorted(pixels, reverse=True)
    assert all(34 - 1e-9 <= pixel <= 448 + 1e-9 for pixel in pixels)
    assert [round(scale(1 - error) - scale(1 - 10 * error)) for error in (0.001, 0.01)] == [-153, -153]
    assert {tick.label for tick in scale.ticks() if tick.label} >= {"0.01", "0.1"}


@pytest.mark.parametrize("end", [1, 4, 7, 15, 16, 100, 1234])
def test_a_scale_of_counts_has_whole_ticks(end: int) -> None:
    ticks = LinearScale((0.0, float(end)), (0.0, 400.0), is_whole=True).ticks()
    assert 2 <= len(ticks) <= 8
    assert [tick.label for tick in ticks] == [str(round(tick.value)) for tick in ticks]
