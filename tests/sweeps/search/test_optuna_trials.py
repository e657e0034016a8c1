"""Bulk reading of Optuna's trials returns those of Optuna's own reading."""

from __future__ import annotations

import math
from pathlib import Path

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.storages import RDBStorage
from optuna.trial import TrialState, create_trial

from sweeps.search.optuna_trials import read_trials


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_trials_equal_those_that_optuna_reads(database: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    url = f"sqlite:///{tmp_path}/optuna.db"
    if database == "postgresql":
        url = str(request.getfixturevalue("empty_postgres")).replace("postgresql:", "postgresql+psycopg:")
    storage = RDBStorage(url)
    optuna.create_study(storage=storage, study_name="other", directions=["maximize"]).add_trial(create_trial(value=1.0))
    study = optuna.create_study(storage=storage, study_name="a", directions=["maximize", "minimize"])
    drawn = {"z": 0.5, "a": 3, "m": "hnet"}
    kinds = {
        "z": FloatDistribution(0, 1), "a": IntDistribution(1, 9), "m": CategoricalDistribution(["ewc", "hnet"])
    }  # fmt: skip
    study.add_trial(
        create_trial(
            values=[math.inf, -2.5], params=drawn, distributions=kinds, user_attrs={"k": [1, "é"]},
            system_attrs={"s": {"x": None}}, intermediate_values={2: 0.5, 1: math.nan, 3: -math.inf},
        )
    )  # fmt: skip
    study.add_trial(create_trial(state=TrialState.PRUNED))
    study.enqueue_trial({"z": 0.1})
    for number in (study.ask(kinds).number, study.ask().number):
        trial_id = storage.get_trial_id_from_study_id_trial_number(storage.get_study_id_from_name("a"), number)
        storage.set_trial_system_attr(trial_id, "tpe:relative_params:0", "{}")
    study.tell(2, values=[0.1, 0.2])
    study_id = storage.get_study_id_from_name("a")
    ours, theirs = read_trials(storage, study_id), storage.get_all_trials(study_id)
    del theirs[2].system_attrs["tpe:relative_params:0"]  # it matters while a trial is running
    assert [repr(vars(trial)) for trial in ours] == [repr(vars(trial)) for trial in theirs]
    assert [list(trial.params) for trial in ours] == [list(trial.params) for trial in theirs]
    assert len(ours) == 4
    assert "tpe:relative_params:0" in ours[3].system_attrs
    ours[3].params["x"] = ours[3].distributions["x"] = 1  # as Optuna does where it draws a value of a running trial
    assert not any("x" in trial.params or "x" in trial.distributions for trial in ours[:3])
    storage.engine.dispose()
