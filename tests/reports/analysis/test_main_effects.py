"""Main effects average over everything else; importances find the parameter that was planted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from reports.analysis.importance import MIN_CONFIGURATIONS, importances
from reports.analysis.main_effects import BINS, MAX_SINGLE_VALUES, effect_rows, effect_span, main_effects
from reports.data.study_data import StudyData
from reports.data.trial import Trial
from reports.exact_values import exact_json
from reports.tables.parameters import parameter_rows, parameter_table
from studies.statistics.intervals import t_interval
from tests.reports.cases import SPEC, make_study_data, make_trial

SEARCH: dict[str, Any] = {
    "a": {"float": [0.001, 1.0], "log": True},
    "b": {"choice": [8, 16, [1, 2]]},
    "c": {"int": [0, 100]},
}
NAMES = ("a", "b", "c")


def planted(n: int = 60) -> StudyData:
    """Accuracy follows `a`, the ratio follows `c`, and `b` does nothing."""
    rng = np.random.default_rng(0)
    trials = []
    for number in range(n):
        a, b, c = float(10 ** rng.uniform(-3, 0)), [8, 16, [1, 2]][number % 3], int(rng.integers(0, 101))
        accuracy = 0.9 + 0.05 * float(np.log10(a)) + 0.002 * float(rng.standard_normal())
        trials.append(make_trial(number, 0.1 + c / 100, accuracy, params={"a": a, "b": b, "c": c}))
    return make_study_data(trials, spec={**SPEC, "search": SEARCH}, parameters=NAMES)


def test_the_planted_parameter_is_found_by_both_methods() -> None:
    found = {one.name: one for one in importances(planted(), NAMES)}
    assert found["a"].final > 0.8
    assert found["a"].best > 0.6
    assert found["c"].cost > 0.8
    for share in ("final", "cost", "best"):
        assert sum(getattr(one, share) for one in found.values()) == pytest.approx(1.0)
    assert next(iter(found)) == "a"


def test_importances_are_the_same_each_time_and_say_nothing_on_the_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    assert importances(planted(), NAMES) == importances(planted(), NAMES)
    captured = capfd.readouterr()
    assert captured.out + captured.err == ""


def test_too_few_configurations_have_no_importances() -> None:
    few = planted(MIN_CONFIGURATIONS - 1)
    assert importances(few, NAMES) == []
    assert importances(planted(), ["a"]) == []
    table = parameter_table(few, {name: main_effects(few, name) for name in NAMES}, [])
    assert "Importances need" in table.caption
    assert [column.key for column in table.columns] == ["label", "span", "best"]


def test_a_choice_has_one_effect_per_value_and_a_range_five() -> None:
    data = planted()
    choices = main_effects(data, "b")
    assert [(effect.label, effect.final.n) for effect in choices] == [("8", 20), ("16", 20), ("[1, 2]", 20)]
    fifths = main_effects(data, "a")
    assert [effect.final.n for effect in fifths] == [12] * 5
    means = [effect.final.mean for effect in fifths]
    assert means == sorted(means)
    values = sorted(trial.params["a"] for trial in data.trials)
    assert fifths[0].position == pytest.approx((values[0] * values[11]) ** 0.5)


def test_an_effect_is_the_mean_over_configurations() -> None:
    data = planted()
    eights = [trial.value("final_accuracy") for trial in data.trials if trial.params["b"] == 8]
    assert main_effects(data, "b")[0].final.mean == pytest.approx(np.mean(eights))
    span = effect_span(main_effects(data, "a"))
    assert span is not None
    assert 0.08 < span < 0.15


def test_values_that_few_share_do_not_name_the_best() -> None:
    trials = [make_trial(i, 0.5, 0.5, params={"b": 8}) for i in range(3)] + [make_trial(9, 0.5, 0.9, params={"b": 16})]
    data = make_study_data(trials, spec={**SPEC, "search": {"b": SEARCH["b"]}}, parameters=("b",))
    (row,) = parameter_rows(data, {"b": main_effects(data, "b")}, [])
    assert row["best"] == "8"
    assert row["span"] is None
    assert len(effect_rows({"b": main_effects(data, "b")})) == 2


@pytest.mark.parametrize("name", NAMES)
def test_effects_are_those_of_configurations_grouped_one_by_one(name: str) -> None:
    data = planted()
    groups: dict[str, list[Trial]] = {}
    for trial in data.configurations:
        groups.setdefault(exact_json(trial.params[name]), []).append(trial)
    parts = list(groups.values())
    if len(parts) > MAX_SINGLE_VALUES:
        ordered = sorted(data.configurations, key=lambda trial: (trial.params[name], trial.number))
        parts = [ordered[i : i + len(ordered) // BINS] for i in range(0, len(ordered), len(ordered) // BINS)]
    for metric in ("final", "during"):
        assert [getattr(effect, metric) for effect in main_effects(data, name)] == [
            t_interval([trial.value(f"{metric}_accuracy") for trial in part]) for part in parts
        ]
