"""A column holds the values of its trials in order."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.data.trial import Trial
from reports.data.trial_arrays import Parameter, TrialColumns
from reports.exact_values import exact_json
from tests.reports.cases import make_trial

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
def test_values_are_equal_where_their_json_is(values: list[Any]) -> None:
    found = Parameter(values)
    known = [exact_json(value) for value in values if value is not None]
    assert list(found.distinct) == list(dict.fromkeys(known))
    assert [exact_json(value) for value in found.distinct.values()] == list(found.distinct)
    keys = [*found.distinct, "null"]
    assert [keys[place] for place in found.which] == [exact_json(value) for value in values]
    assert found.is_known.tolist() == [value is not None for value in values]
