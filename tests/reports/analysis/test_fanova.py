"""The variance of a forest is split exactly, as by Optuna and by enumerating every combination."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import optuna
import pytest
from numpy.typing import NDArray
from optuna.importance import FanovaImportanceEvaluator
from sklearn.tree import DecisionTreeRegressor

from reports.analysis import fanova
from reports.analysis.fanova import Choices, Range, shares


def test_shares_of_linear_ranges_are_optunas() -> None:
    rng = np.random.default_rng(0)
    columns: Any = rng.uniform(0, 1, (3, 40))
    values = columns[0] ** 2 + 0.5 * columns[1] * columns[2] + 0.01 * rng.standard_normal(40)
    study = optuna.create_study()
    distribution = optuna.distributions.FloatDistribution(0, 1)
    for a, b, c, value in zip(*columns, values, strict=True):
        params = {"a": a, "b": b, "c": c}
        study.add_trial(
            optuna.trial.create_trial(params=params, distributions=dict.fromkeys(params, distribution), value=value)
        )
    evaluator = FanovaImportanceEvaluator(n_trees=fanova.TREES, seed=0)
    theirs = optuna.importance.get_param_importances(study, evaluator=evaluator)
    ours = shares([Range(0, 1)] * 3, columns, values)
    assert np.array(ours) / sum(ours) == pytest.approx([theirs[name] for name in "abc"], rel=1e-9)


def test_shares_of_choices_are_those_of_every_combination(monkeypatch: pytest.MonkeyPatch) -> None:
    spaces = [Choices(("x", "y", "z")), Choices((1, 2))]
    rng = np.random.default_rng(1)
    trained = [(first, second) for first, second in itertools.product("xyz", (1, 2)) for _ in range(3)]
    values = [{"x": 0.0, "y": 1.0, "z": 5.0}[first] * second + float(rng.normal(0, 0.1)) for first, second in trained]
    columns: Any = list(zip(*trained, strict=True))
    monkeypatch.setattr("sklearn.ensemble.RandomForestRegressor", OneTree)
    tree = DecisionTreeRegressor(random_state=0).fit(_encoded(spaces, columns), values)
    table = tree.predict(_encoded(spaces, list(zip(*itertools.product("xyz", (1, 2)), strict=True)))).reshape(3, 2)
    by_hand = [table.mean(axis=1).var() / table.var(), table.mean(axis=0).var() / table.var()]
    assert shares(spaces, columns, values) == pytest.approx(by_hand)


def test_a_log_range_counts_by_its_logarithm() -> None:
    rng = np.random.default_rng(2)
    places, others = rng.uniform(-3, 0, 400), rng.uniform(0, 1, 400)
    columns: Any = [10**places, others]
    values = ((places < -1.5) + 1.0 * (others < 0.5)).tolist()  # half of the log range, 3 % of the linear one
    linear, _ = shares([Range(1e-3, 1), Range(0, 1)], columns, values)
    log, other = shares([Range(1e-3, 1, is_log=True), Range(0, 1)], columns, values)
    assert linear == pytest.approx(0.03 * 0.97 / (0.03 * 0.97 + 0.25), abs=0.03)
    assert log == pytest.approx(0.5, abs=0.03)
    assert other == pytest.approx(0.5, abs=0.03)


def test_a_constant_measure_has_no_shares() -> None:
    assert shares([Range(0, 1), Choices((1, 2))], [[0.1, 0.9, 0.4], [1, 2, 1]], [0.5, 0.5, 0.5]) == [0.0, 0.0]


class OneTree:
    """A forest of one tree without resampling, so that its prediction can be counted by hand."""

    def __init__(self, **_: Any) -> None:
        self.estimators_: list[DecisionTreeRegressor] = []

    def fit(self, features: NDArray[np.float64], values: NDArray[np.float64]) -> None:
        self.estimators_ = [DecisionTreeRegressor(random_state=0).fit(features, values)]


def _encoded(spaces: list[Any], columns: Any) -> NDArray[np.float64]:
    return np.hstack([space.encode(column) for space, column in zip(spaces, columns, strict=True)])
