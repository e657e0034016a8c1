"""Fronts of three and more objectives, against their definition."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.analysis.objective_fronts import goals_text, objective_fronts
from reports.data.study_data import StudyData
from reports.data.trial import Trial
from studies.metrics.definitions import METRICS
from studies.statistics.interval import Interval
from tests.reports.cases import SPEC, make_study_data, make_trial, measured

GOALS = {"final_accuracy": "maximize", "compression_ratio": "minimize", "seconds": "minimize"}
LEVELS = st.sampled_from([0.1, 0.2, 0.3, 0.4])


def trial(number: int, accuracy: float, ratio: float, seconds: float | None) -> Trial:
    plain = make_trial(number, ratio, accuracy)
    values = {name: plain[name] for name in METRICS} | {"seconds": Interval(seconds, None, None, 3)}
    return make_trial(number, ratio, accuracy, metrics=measured(values))


def study(values: list[tuple[float, float, float | None]], goals: dict[str, str] = GOALS, **more: Any) -> StudyData:
    trials = [trial(number, *each) for number, each in enumerate(values)]
    return make_study_data(trials, spec={**SPEC, "objectives": goals}, **more)


def not_beaten(values: list[tuple[float, ...]], signs: tuple[float, ...]) -> list[bool]:
    """The definition: no other point is at least as good in all and better in one."""
    costs = [tuple(sign * value for sign, value in zip(signs, each, strict=True)) for each in values]

    def beats(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
        return all(x <= y for x, y in zip(a, b, strict=True)) and a != b

    return [not any(beats(other, one) for other in costs) for one in costs]


@given(st.lists(st.tuples(LEVELS, LEVELS, LEVELS), min_size=1, max_size=25))
def test_fronts_hold_what_no_other_configuration_beats(values: list[tuple[float, float, float]]) -> None:
    found = objective_fronts(study(list(values)))
    assert found is not None
    signs = {"final_accuracy": -1.0, "compression_ratio": 1.0, "seconds": 1.0}
    assert found.on_front.tolist() == not_beaten(list(values), tuple(signs.values()))
    places = list(GOALS)
    assert {frozenset((pair.x, pair.y)) for pair in found.pairs} == set(map(frozenset, combinations(GOALS, 2)))
    for pair in found.pairs:
        two = [(each[places.index(pair.x)], each[places.index(pair.y)]) for each in values]
        assert pair.on_front.tolist() == not_beaten(two, (signs[pair.x], signs[pair.y]))


def test_a_cost_is_on_the_x_axis_of_its_pair() -> None:
    found = objective_fronts(study([(0.9, 0.1, 3.0)]))
    assert found is not None
    assert [(pair.x, pair.y) for pair in found.pairs][:2] == [
        ("compression_ratio", "final_accuracy"), ("seconds", "final_accuracy"),
    ]  # fmt: skip


def test_one_that_lacks_an_objective_or_breaks_a_constraint_is_on_no_front() -> None:
    data = study([(0.9, 0.1, None), (0.8, 0.2, 3.0), (0.95, 0.1, 1.0)], feasible=[0, 1])
    found = objective_fronts(data)
    assert found is not None
    assert found.is_known.tolist() == [False, True, True]
    assert found.on_front.tolist() == [False, True, False]


@pytest.mark.parametrize("goals", [{"final_accuracy": "maximize"}, dict(list(GOALS.items())[:2])], ids=len)
def test_fewer_than_three_objectives_have_no_such_fronts(goals: dict[str, str]) -> None:
    assert objective_fronts(study([(0.9, 0.1, 3.0)], goals)) is None


def test_objectives_are_named_in_words() -> None:
    assert goals_text(GOALS) == "highest final accuracy, lowest compression ratio and lowest training time"


def test_a_study_of_no_finished_configuration_has_none() -> None:
    assert objective_fronts(study([])) is None
    assert objective_fronts(study([(np.nan, 0.1, np.nan)])) is None
