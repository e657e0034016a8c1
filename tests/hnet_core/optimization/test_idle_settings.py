"""Training options without effect are found from the length of a task."""

from __future__ import annotations

from typing import Any

import pytest

from hnet_core.optimization.idle_settings import idle_training
from hnet_core.optimization.learning_rate import LearningRate
from hnet_core.trial import TrainingOptions

SELECT = {"select": "best_validation"}


@pytest.mark.parametrize(
    ("training", "says"),
    [
        ({"epochs": 2, "schedule": {"after": [5], "factors": [0.1]}},
         "training.schedule.after 5 is never reached: a task has 2 epochs"),
        ({"iterations": 30, "schedule": {"after": [10, 30, 60], "factors": [0.5, 0.1, 0.01]}},
         "training.schedule.after 30 and 60 are never reached: a task has 30 iterations"),
        ({"iterations": 30, "validation_every": 500, **SELECT},
         "training.select best_validation changes nothing: a task has 30 iterations, and validation_every, 500, leads "
         "to a single validation, at its end"),
        ({"iterations": 100, **SELECT},
         "training.select best_validation changes nothing: a task has 100 iterations, and validation_every, 100 where "
         "it is left out, leads to a single validation, at its end"),
        ({"epochs": 1, "schedule": {"plateau": {}}},
         "training.schedule.plateau changes nothing: a task has 1 epoch, and validation_every, 1 where it is left out, "
         "leads to a single validation, at its end"),
    ],
)  # fmt: skip
def test_a_setting_that_a_task_is_too_short_for_is_named_with_its_length(training: dict[str, Any], says: str) -> None:
    assert list(idle_training(TrainingOptions.model_validate(training)).values()) == [says]


@pytest.mark.parametrize(
    "training",
    [
        {},
        {"epochs": 6, "schedule": {"after": [5], "factors": [0.1]}},
        {"iterations": 101, **SELECT},
        {"epochs": 2, **SELECT},
        {"iterations": 30, "validation_every": 29, "schedule": {"plateau": {}}},
    ],
)
def test_a_setting_with_an_effect_is_not_named(training: dict[str, Any]) -> None:
    assert not idle_training(TrainingOptions.model_validate(training))


@pytest.mark.parametrize("unit", ["epochs", "iterations"])
def test_the_last_step_of_a_task_has_the_factor_exactly_where_it_is_reached(unit: str) -> None:
    for after in (1, 4, 5, 6):
        training = TrainingOptions.model_validate({unit: 5, "schedule": {"after": [after], "factors": [0.1]}})
        is_lowered = LearningRate(training, higher_is_better=True).after(4) < training.lr
        assert is_lowered == (not idle_training(training))
