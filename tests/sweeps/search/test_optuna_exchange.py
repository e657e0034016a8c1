from __future__ import annotations

import math
from pathlib import Path

import optuna
import pytest
from sqlalchemy import Engine, update

from hnet_core.errors import ConfigInvalid, NotFound
from hnet_core.trial import Measure
from studies.database import schema
from studies.database.integrity import check_database
from studies.database.open_database import connect
from studies.queries.studies import Studies
from studies.store.imported_trials import ImportedRun, ImportedTrial, ImportedWeights
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
    with pytest.raises(StudyExists, match=r"is in .* already, with all its trials"):
        to_optuna(Studies(engine), name, url)


def test_an_interrupted_export_goes_on_with_the_trials_that_are_missing(engine: Engine, tmp_path: Path) -> None:
    name = sample_study(engine, 12)
    urls = [f"sqlite:///{tmp_path / file}" for file in ("whole.db", "interrupted.db")]

    def interrupt(step: str, done: int, total: int) -> None:
        assert (step, total) == (f"writing {name}", 12)
        if done == 7:
            raise KeyboardInterrupt

    to_optuna(Studies(engine), name, urls[0])
    with pytest.raises(KeyboardInterrupt):
        to_optuna(Studies(engine), name, urls[1], interrupt)
    assert to_optuna(Studies(engine), name, urls[1]) == 5
    whole, continued = (optuna.load_study(study_name=name, storage=url).trials for url in urls)
    assert whole == continued


def test_an_export_adds_nothing_to_another_study_of_that_name(engine: Engine, tmp_path: Path) -> None:
    name = sample_study(engine, 3)
    url = f"sqlite:///{tmp_path / 'optuna.db'}"
    optuna.create_study(storage=url, study_name=name, directions=["maximize", "minimize"])
    with pytest.raises(StudyExists, match=r"another Optuna study .* is in .* already; name another storage"):
        to_optuna(Studies(engine), name, url)


def test_a_foreign_study_is_imported_with_what_optuna_stores(engine: Engine, tmp_path: Path) -> None:
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


def test_the_meaning_of_a_foreign_number_must_be_given(tmp_path: Path) -> None:
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
    with pytest.raises(
        ConfigInvalid, match="--quality must name an objective that Optuna was asked to minimize, as a good m"
    ):
        from_optuna(url, "theirs", Meaning(0, "mse", 1000, model_weights=100))
    with pytest.raises(NotFound, match=r"'nope' is not in .*, which holds theirs"):
        from_optuna(url, "nope", Meaning(0, "accuracy", 1000, ratio=1))


def foreign(path: Path, directions: list[str], trials: list[optuna.trial.FrozenTrial]) -> str:
    study = optuna.create_study(storage=f"sqlite:///{path}", study_name="theirs", directions=directions)
    study.add_trials(trials)
    return str(path)


def trial_of(values: list[float] | None, state: str = "COMPLETE", **params: object) -> optuna.trial.FrozenTrial:
    kinds = {name: optuna.distributions.CategoricalDistribution([value]) for name, value in params.items()}
    return optuna.trial.create_trial(
        state=optuna.trial.TrialState[state], values=values, params=params, distributions=kinds
    )


@pytest.mark.parametrize(
    ("directions", "measure", "option"),
    [
        (["minimize", "minimize"], "accuracy", "--quality"),
        (["maximize", "minimize"], "mse", "--quality"),
        (["maximize", "maximize"], "accuracy", "--ratio"),
    ],
)
def test_an_objective_that_goes_the_other_way_is_refused(
    tmp_path: Path, directions: list[str], measure: Measure, option: str
) -> None:
    path = foreign(tmp_path / "t.db", directions, [trial_of([0.5, 0.5])])
    with pytest.raises(ConfigInvalid, match=f"{option} must name an objective that Optuna was asked to"):
        from_optuna(path, "theirs", Meaning(0, measure, 1000, ratio=1))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("measure", "bad", "reason"),
    [
        ("mse", [math.inf, 0.5], "the mse must be a number, got inf"),
        ("mse", [-0.5, 0.5], "an mse must be 0 or more, got -0.5"),
        ("accuracy", [1.5, 0.5], "an accuracy must be between 0 and 1, got 1.5"),
        ("accuracy", [0.5, math.inf], "the compression ratio must give 1 to 1,000,000,000,000,000 weights, got inf"),
        ("accuracy", [0.5, 0.0], "the compression ratio must give 1 to 1,000,000,000,000,000 weights, got 0.0"),
    ],
)
def test_one_impossible_trial_fails_with_the_reason_and_the_others_count(
    engine: Engine, tmp_path: Path, measure: Measure, bad: list[float], reason: str
) -> None:
    directions = ["maximize" if measure == "accuracy" else "minimize", "minimize"]
    path = foreign(tmp_path / "t.db", directions, [trial_of([0.5, 0.5]), trial_of(bad), trial_of([0.25, 0.5])])
    import_trials(engine, "t", from_optuna(path, "theirs", Meaning(0, measure, 1000, ratio=1)), "Optuna", {})
    table = Studies(engine).trials("t")
    assert table["state"].tolist() == ["COMPLETE", "FAILED", "COMPLETE"]
    assert table["reason"].dropna().tolist() == [reason]
    assert table[f"final_{measure}"].tolist()[::2] == [0.5, 0.25]
    assert check_database(engine).problems == []


def test_infinite_values_are_no_percentages_and_broken_constraints_are_named(tmp_path: Path) -> None:
    trials = [trial_of([value]) for value in (0.5, math.inf, -math.inf)]
    trials[0].system_attrs = {"constraints": [-1.0, 0.5]}
    path = foreign(tmp_path / "t.db", ["maximize"], trials)
    remarks: list[str] = []
    found = from_optuna(path, "theirs", Meaning(0, "accuracy", 1000, model_weights=100), remarks.append)
    assert [one.state for one in found] == ["COMPLETE", "FAILED", "FAILED"]
    assert remarks == ["warning: trials that break constraints in Optuna count here like any other: 0."]


def test_pruned_trials_stay_pruned_and_numbers_stay_where_a_trial_still_runs(engine: Engine, tmp_path: Path) -> None:
    trials = [trial_of([0.5]), trial_of(None, "RUNNING"), trial_of(None, "PRUNED"), trial_of(None, "FAIL")]
    path = foreign(tmp_path / "t.db", ["maximize"], trials)
    meaning = Meaning(0, "accuracy", 1000, model_weights=100)
    import_trials(engine, "t", from_optuna(path, "theirs", meaning), "Optuna", {})
    table = Studies(engine).trials("t")
    assert table["number"].tolist() == [0, 2, 3]
    assert table["state"].tolist() == ["COMPLETE", "PRUNED", "FAILED"]
    assert table["reason"].dropna().tolist() == ["PRUNED in Optuna", "FAIL in Optuna"]


def test_a_parameter_that_json_cannot_hold_is_its_text(engine: Engine, tmp_path: Path) -> None:
    path = foreign(tmp_path / "t.db", ["maximize"], [trial_of([0.5], lr=math.inf, big=10**40, method="ewc")])
    meaning = Meaning(0, "accuracy", 1000, model_weights=100)
    import_trials(engine, "t", from_optuna(path, "theirs", meaning), "Optuna", {})
    assert Studies(engine).trials("t")["params"][0] == {"lr": "inf", "big": "1" + 40 * "0", "method.name": "ewc"}
    assert Studies(engine).configurations()["method"].tolist() == ["ewc"]
    path = foreign(tmp_path / "taken.db", ["maximize"], [trial_of([0.5], final_accuracy=0.1)])
    with pytest.raises(ConfigInvalid, match="'final_accuracy' cannot be the name of a setting"):
        from_optuna(path, "theirs", meaning)


@pytest.mark.slow
@pytest.mark.parametrize("bound", ["<= 0.5", "< 0.5", ">= 0.5", "> 0.5", "<= 0.0001"])
def test_the_best_trials_in_optuna_are_the_front_under_its_constraints(
    engine: Engine, tmp_path: Path, bound: str
) -> None:
    runs = [ImportedRun(0, {("test", 1, 1): 0.1 * n}) for n in range(1, 7)]
    counts = [ImportedWeights(1000, 100 + 100 * n) for n in range(1, 7)]
    trials = [
        ImportedTrial(n, {"x": n}, count, [run], n_tasks=1)
        for n, (count, run) in enumerate(zip(counts, runs, strict=True))
    ]
    objectives = {"final_accuracy": "maximize", "compression_ratio": "minimize"}
    import_trials(engine, "t", trials, "elsewhere", objectives)
    with engine.begin() as connection:
        spec = {"study": "t", "objectives": objectives, "constraints": {"compression_ratio": bound}}
        connection.execute(update(schema.study).values(spec=spec))
        connection.execute(update(schema.trial).where(schema.trial.c.number == 5).values(duplicate_of=4))
    found = Studies(engine)
    to_optuna(found, "t", str(tmp_path / "optuna.db"))
    theirs = optuna.load_study(study_name="t", storage=f"sqlite:///{tmp_path / 'optuna.db'}")
    assert sorted(one.number for one in theirs.best_trials) == sorted(found.front("t")["number"])
