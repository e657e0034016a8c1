"""A column holds what going from trial to trial finds."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.evidence import Trial
from reports.main_effects import BINS, MAX_SINGLE_VALUES, main_effects
from reports.marks import cloud
from reports.numbers import of_each, spelled
from reports.scales import Linear, Log
from reports.trial_columns import Parameter, TrialColumns
from studies.statistics import t_interval
from tests.reports.cases import SPEC, make_evidence, make_trial

VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 3), st.sampled_from([0.5, 1.0, "a", "1"]), st.lists(st.integers(0, 1))
)


def some_trials(n: int = 30) -> list[Trial]:
    rng = np.random.default_rng(0)
    return [
        make_trial(n - i, *rng.uniform(0.1, 0.9, 2).tolist(), 0.9 if i % 2 else None, params={"a": i % 3, "b": i})
        for i in range(n)
    ]


def test_a_column_is_the_metric_of_each_trial() -> None:
    trials = some_trials()
    columns = TrialColumns(trials)
    for name in ("final_accuracy", "final_accuracy.low", "validation_final_accuracy", "final_mse", "no_such_metric"):
        expected = [trial.metrics.number(name) for trial in trials]
        assert columns.exact(name) == expected
        assert columns[name].tolist() == pytest.approx([math.nan if v is None else v for v in expected], nan_ok=True)
        assert columns.is_measured(name) == any(value is not None for value in expected)
    assert columns.numbers.tolist() == [trial.number for trial in trials]


def test_trials_are_found_by_number_and_by_place() -> None:
    trials = some_trials()
    columns = TrialColumns(trials)
    mask = columns.among({3, 7, 99})
    assert columns.where(mask) == [trial for trial in trials if trial.number in (3, 7)]


def test_no_trials_have_empty_columns() -> None:
    columns = TrialColumns([])
    assert (
        columns["final_accuracy"].tolist() == columns.exact("final_accuracy") == columns.where(columns.among({1})) == []
    )
    assert not columns.is_measured("final_accuracy")


@given(st.lists(VALUES))
def test_equal_values_are_told_by_how_they_are_spelled(values: list[Any]) -> None:
    found = Parameter(values)
    known = [spelled(value) for value in values if value is not None]
    assert list(found.distinct) == list(dict.fromkeys(known))
    assert [spelled(value) for value in found.distinct.values()] == list(found.distinct)
    keys = [*found.distinct, "null"]
    assert [keys[place] for place in found.which] == [spelled(value) for value in values]
    assert found.is_known.tolist() == [value is not None for value in values]


@given(st.lists(VALUES | st.floats(allow_nan=False)))
def test_asking_once_for_equal_values_changes_nothing(values: list[Any]) -> None:
    assert of_each(spelled, values) == [spelled(value) for value in values]


@pytest.mark.parametrize("name", ["a", "b"])
def test_main_effects_are_those_of_trials_grouped_one_by_one(name: str) -> None:
    trials = some_trials()
    search = {"a": {"choice": [0, 1, 2]}, "b": {"int": [0, 99]}}
    evidence = make_evidence(trials, spec={**SPEC, "search": search}, parameters=("a", "b"))
    values = sorted({trial.params[name] for trial in trials})
    groups = [[trial for trial in trials if trial.params[name] == value] for value in values]
    if len(values) > MAX_SINGLE_VALUES:
        ordered = sorted(trials, key=lambda trial: trial.params[name])
        groups = [ordered[i : i + len(trials) // BINS] for i in range(0, len(trials), len(trials) // BINS)]
    assert [effect.final for effect in main_effects(evidence, name)] == [
        t_interval([trial.value("final_accuracy") for trial in group]) for group in groups
    ]


@pytest.mark.parametrize("scale", [Linear((0.0, 2.0), (50.0, 900.0)), Log((0.01, 2.0), (500.0, 30.0))])
def test_a_scale_places_many_values_as_it_places_each(scale: Linear | Log) -> None:
    values = np.random.default_rng(0).uniform(0.02, 1.9, 100)
    assert scale.each(values) == pytest.approx([scale(value) for value in values.tolist()], rel=1e-14)


def test_a_cloud_counts_the_dots_of_each_cell() -> None:
    x, y = np.array([0.0, 1.0, 8.1, 7.9, 8.0, 8.0, -9.0]), np.array([4.0, 4.0, 4.0, 4.0, 4.1, 3.9, 0.0])
    drawn = cloud(x, y, "final")
    assert 'd="M-8 0h0M0 4h0"' in drawn  # one and two dots
    assert 'd="M8 4h0"' in drawn  # four
