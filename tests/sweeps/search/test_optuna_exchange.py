from __future__ import annotations

from pathlib import Path

import optuna
import pytest
from sqlalchemy import Engine

from hnet_core.errors import ConfigInvalid, NotFound
from studies.database.integrity import check_database
from studies.database.open_database import connect
from studies.queries.studies import Studies
from studies.store.store import StudyExists
from studies.store.trial_import import import_trials
from sweeps.search.optuna_exchange import Meaning, from_optuna, to_optuna
from tests.studies.sample import sample_study


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return connect(str(tmp_path / "hnet.db"), create=True)


def test_an_exported_study_is_one_that_optuna_reads(engine: Engine, tmp_path: Path) -> None:
    name = sample_study(engine, 12)
    url = f"sqlite:///{tmp_path / 'optuna.db'}"
    assert to_optuna(Studies(engine), name, str(tmp_path / "optuna.db")) == 12
    study = optuna.load_study(study_name=name, storage=url)
    ours = Studies(engine).trials(name)
    assert study.metric_names == ["final_accuracy", "compression_ratio"]
    assert [direction.name for direction in study.directions] == ["MAXIMIZE", "MINIMIZE"]
    assert [trial.state.name for trial in study.trials][3:8] == ["COMPLETE", "FAIL", "COMPLETE", "COMPLETE", "PRUNED"]
    for trial, (_, row) in zip(study.trials, ours.iterrows(), strict=True):
        assert trial.params == row["params"]
        if trial.state.name == "COMPLETE":
            assert trial.values == [row["final_accuracy"], row["compression_ratio"]]
            assert trial.user_attrs["forgetting.low"] == row["forgetting.low"]
    assert len(study.trials_dataframe()) == 12
    assert {trial.number for trial in study.best_trials} <= set(ours["number"])
    with pytest.raises(StudyExists, match=r"is in .* already; name another storage"):
        to_optuna(Studies(engine), name, url)


def test_a_foreign_study_comes_in_with_what_optuna_knows(engine: Engine, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'theirs.db'}"
    study = optuna.create_study(storage=url, study_name="theirs", directions=["maximize", "minimize"])
    for accuracy, ratio in ((0.9, 0.5), (0.8, 0.25)):
        trial = study.ask({"lr": optuna.distributions.FloatDistribution(0.1, 1)})
        study.tell(trial, [accuracy, ratio])
    study.tell(study.ask(), state=optuna.trial.TrialState.FAIL)
    study.ask()
    trials = from_optuna(url, "theirs", Meaning(0, "accuracy", target_weights=1000, ratio=1))
    assert import_trials(engine, "theirs", trials, "Optuna", {"final_accuracy": "maximize"}).total() == 3
    table = Studies(engine).trials("theirs")
    assert table["state"].tolist() == ["COMPLETE", "COMPLETE", "FAILED"]
    assert table["final_accuracy"].tolist()[:2] == [0.9, 0.8]
    assert table["compression_ratio"].tolist()[:2] == [0.5, 0.25]
    assert table["compression_ratio"].isna().tolist() == [False, False, True], "the size of a failed one is not known"
    assert table["forgetting"].isna().all()
    assert table["lr"].between(0.1, 1).tolist() == [True, True, False]
    assert check_database(engine).problems == []


def test_what_a_foreign_number_means_must_be_said(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'theirs.db'}"
    study = optuna.create_study(storage=url, study_name="theirs", direction="maximize")
    study.tell(study.ask(), 93.0)
    with pytest.raises(ConfigInvalid, match=r"between 0 and 1, got 93\.0 in trial 0; is it in percent"):
        from_optuna(url, "theirs", Meaning(0, "accuracy", 1000, model_weights=100))
    with pytest.raises(ConfigInvalid, match="--ratio or from --model-weights; give one"):
        from_optuna(url, "theirs", Meaning(0, "accuracy", 1000))
    with pytest.raises(ConfigInvalid, match="must be two objectives, got 0 for both"):
        from_optuna(url, "theirs", Meaning(0, "accuracy", 1000, ratio=0))
    with pytest.raises(ConfigInvalid, match="an objective must be 0 to 0 in 'theirs', got 1"):
        from_optuna(url, "theirs", Meaning(0, "accuracy", 1000, ratio=1))
    with pytest.raises(NotFound, match=r"'nope' is not in .*, which holds theirs"):
        from_optuna(url, "nope", Meaning(0, "accuracy", 1000, ratio=1))
