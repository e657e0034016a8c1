"""Views of the trade-off figure: a close-up of a hidden front, an axis of errors, labels beside their marks."""

from __future__ import annotations

import re

import pytest

from reports.analysis.recommendation import recommend
from reports.data.study_data import StudyData
from reports.figures.tradeoff import tradeoff_figure
from tests.reports.cases import make_study_data, make_trial


def views(data: StudyData) -> dict[str, str]:
    return dict(tradeoff_figure(data, recommend(data), None).drawings)


@pytest.mark.parametrize("others", [[(0.5, 0.1)], [(300.0, 0.9)]], ids=["far below", "far right"])
def test_a_front_that_the_range_hides_gets_a_close_up(others: list[tuple[float, float]]) -> None:
    front = [(0.1 + 0.01 * i, 0.90 + 0.005 * i) for i in range(5)]
    trials = [make_trial(i, ratio, value, value) for i, (ratio, value) in enumerate([*front, *others])]
    found = views(make_study_data(trials, front=range(5)))
    assert list(found) == ["All configurations", "The front, close up", "By error"]
    assert found["The front, close up"].count("data-trials") >= 2


def test_a_front_that_fills_the_range_gets_none() -> None:
    trials = [make_trial(i, 0.1 * 2**i, 0.5 + 0.1 * i, 0.5 + 0.1 * i) for i in range(5)]
    assert list(views(make_study_data(trials, front=range(5)))) == ["All configurations", "By error"]


def test_equal_factors_of_the_error_are_equally_far_apart_in_the_view_of_errors() -> None:
    trials = [make_trial(i, 0.1 * (i + 1), 1 - 0.1**i, 1 - 0.1**i) for i in (1, 2, 3)]
    found = views(make_study_data(trials, front=[1, 2, 3]))["By error"]
    assert "1 − accuracy, mean over seeds (log scale)" in found
    dots = re.search(r'<g class="points final member".*?</g>', found)
    assert dots is not None
    first, second, third = (float(y) for y in re.findall(r"M[\d.]+ ([\d.]+)h", dots[0]))
    assert first - second == pytest.approx(second - third, abs=0.11)
    assert first > second


def test_equal_accuracies_have_no_view_of_errors() -> None:
    trials = [make_trial(i, 0.1 * (i + 1), 0.9, 0.9) for i in range(3)]
    assert list(views(make_study_data(trials, front=[0]))) == ["All configurations"]


def test_the_label_of_the_best_stands_beside_its_mark_and_covers_no_other() -> None:
    trials = [make_trial(i, 0.1 * 2 ** (i / 4), 0.6 + 0.02 * i, 0.6 + 0.02 * i) for i in range(16)]
    data = make_study_data(trials, front=range(16))
    drawing = views(data)["All configurations"]
    label = re.search(r'<text x="([\d.]+)" y="([\d.]+)" text-anchor="middle">best #15<', drawing)
    assert label is not None
    x, y, half = float(label[1]), float(label[2]), 7.2 * len("best #15") / 2
    dots = re.search(r'<g class="points final member".*?</g>', drawing)
    assert dots is not None
    places = [(float(a), float(b)) for a, b in re.findall(r"M([\d.]+) ([\d.]+)h", dots[0])]
    assert not [at for at in places if abs(at[0] - x) < half and y - 12 < at[1] < y + 4]
    assert abs(places[-1][0] - x) < half + 30
    assert abs(places[-1][1] - y) < 40
