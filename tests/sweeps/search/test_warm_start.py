"""Fixed trials, warm starts from a past study, and trials asked ahead."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import optuna
import pytest
import yaml

import studies
from hnet_core.errors import ConfigInvalid
from studies.errors import StudyNotFound
from studies.spec.document import parse_document
from studies.spec.loading import load_spec
from sweeps.driver.driver import Driver
from sweeps.jobs import Failure
from sweeps.runner import run_sweep
from tests.sweeps.tiny import SPEC, inline, tiny_spec

FIXED = [{"method.beta_output": 0.5, "hypernet.chunk_size": 64}, {"hypernet.chunk_size": 33}]


@pytest.fixture
def url(tmp_path: Path) -> str:
    return str(tmp_path / "runs.db")


def ledger(url: str, name: str = "tiny") -> list[dict[str, Any]]:
    return studies.open(url).ledger(name)


def memory(url: str, name: str) -> list[optuna.trial.FrozenTrial]:
    """Optuna's trials of a study."""
    storage = optuna.storages.RDBStorage(f"sqlite:///{url}")
    names = [summary.study_name for summary in optuna.get_all_study_summaries(storage)]
    return optuna.load_study(study_name=next(one for one in names if one.startswith(name)), storage=storage).trials


def test_fixed_trials_come_first_and_once_whenever_the_sweep_is_interrupted(url: str) -> None:
    def stopping(driver: Driver, *arguments: Any) -> None:
        job = driver.next_job()
        assert job is not None
        driver.fail(job.number, Failure("first"))

    spec = tiny_spec(enqueue=FIXED, budget={"trials": 4}, seeds=1)
    run_sweep(spec, url, backend=stopping)
    run_sweep(spec, url, backend=inline)
    params = [row["params"] for row in ledger(url)]
    assert params[0] == FIXED[0]
    assert params[1]["hypernet.chunk_size"] == 33
    assert len(params) == 4 and len({row["config_hash"] for row in ledger(url)}) == 4


@pytest.mark.slow
@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_a_fixed_trial_may_be_of_a_family_that_the_search_leaves_out(url: str, sampler: str) -> None:
    """It is trained once, also where a start ended before it, and no other trial is of it."""

    def stopping(driver: Driver, *arguments: Any) -> None:
        assert driver.next_job() is not None

    families = {"small": {}, "plain": {"method": {"name": "finetune"}}}
    search = {
        "family": {"choice": ["small"]},
        "hypernet.chunk_size": {"int": [20, 200], "log": True, "when": {"family": "small"}},
    }
    fixed = [{"family": "plain"}, {"family": "small", "hypernet.chunk_size": 30}]
    some = {"families": families, "search": search, "enqueue": fixed, "seeds": 1, "sampler": sampler}
    spec = tiny_spec(**some, budget={"trials": 14})
    run_sweep(spec, url, backend=stopping)
    run_sweep(spec, url, backend=inline)
    rows = ledger(url)
    assert rows[0]["params"] == {"family": "plain"} and rows[0]["config"]["method"]["name"] == "finetune"
    assert rows[1]["params"] == fixed[1]
    assert {row["params"]["family"] for row in rows[1:]} == {"small"}
    assert {row["state"] for row in rows} == {"COMPLETE"}


def test_a_grid_follows_the_fixed_trials(url: str) -> None:
    search = {"hypernet.chunk_size": {"int": [50, 100], "step": 25}}
    spec = tiny_spec(
        search=search, sampler="grid", enqueue=[{"hypernet.chunk_size": 75}], seeds=1, budget={"trials": 9}
    )
    run_sweep(spec, url, backend=inline)
    rows = ledger(url)
    assert [row["params"]["hypernet.chunk_size"] for row in rows] == [75, 50, 100]
    assert [row["duplicate_of"] for row in rows] == [None, None, None]


def test_a_float_that_is_fixed_and_the_grid_point_there_are_one_trial_with_the_value_as_written(url: str) -> None:
    search = {"method.beta_output": {"float": [0.1, 0.5], "step": 0.1}}
    fixed = [{"method.beta_output": 0.3}, {"method.beta_output": 0.3}]
    spec = tiny_spec(search=search, sampler="grid", enqueue=fixed, seeds=1, budget={"trials": 9})
    outcome = run_sweep(spec, url, backend=inline)
    rows = ledger(url)
    assert [row["params"]["method.beta_output"] for row in rows] == [0.3, 0.3, 0.1, 0.2, 0.4, 0.5]
    assert [row["duplicate_of"] for row in rows] == [None, 0, None, None, None, None]
    assert (spec.planned_trials, outcome.counters.asked) == (5, 5)


def test_a_drawn_float_has_the_decimals_of_its_step(url: str) -> None:
    search = {"method.beta_output": {"float": [0.1, 0.9], "step": 0.1}}
    run_sweep(tiny_spec(search=search, seeds=1, budget={"trials": 6}), url, backend=inline)
    drawn = [row["params"]["method.beta_output"] for row in ledger(url)]
    assert drawn and all(len(str(value)) == 3 for value in drawn)


@pytest.mark.slow
@pytest.mark.parametrize("sampler", ["tpe", "gp", "nsga2"])
def test_a_study_starts_from_the_results_of_a_past_one(url: str, sampler: str) -> None:
    run_sweep(tiny_spec(study="past", seeds=1, budget={"trials": 4}), url, backend=inline)
    spec = tiny_spec(warm_start="past", sampler=sampler, seeds=1, budget={"trials": 3})
    for _ in range(2):
        assert run_sweep(spec, url, backend=inline).counters.asked == 3
    known = memory(url, "tiny")
    if sampler == "nsga2":
        front = {tuple(row["params"].values()) for row in ledger(url, "past")}
        assert tuple(ledger(url)[0]["params"].values()) in front
        assert [row["number"] for row in ledger(url)] == [0, 1, 2]
    else:
        past = [trial.values for trial in memory(url, "past")]
        assert [trial.values for trial in known[:4]] == past
        assert [row["number"] for row in ledger(url)] == [4, 5, 6]
        assert len(known) == 7


def test_a_past_study_that_does_not_fit_is_refused(url: str) -> None:
    run_sweep(tiny_spec(study="past", seeds=1, budget={"trials": 2}), url, backend=inline)
    for changes, message in (
        ({"objectives": {"final_accuracy": "maximize"}}, "must have the objectives"),
        ({"search": {"training.lr": {"float": [0.1, 1.0]}}}, "has exactly the fields of this search"),
    ):
        with pytest.raises(ConfigInvalid, match=message):
            run_sweep(tiny_spec(study="new", warm_start="past", sampler="tpe", **changes), url, backend=inline)
    with pytest.raises(StudyNotFound, match="'pst' is not in"):
        run_sweep(tiny_spec(study="newer", warm_start="pst", sampler="tpe"), url, backend=inline)


WRONG = {
    "unknown field": ([{"method.beta": 1}], r"s\.yaml:\d+: enqueue\.0: method\.beta is not searched; searched are"),
    "out of range": (
        [FIXED[0], {"hypernet.chunk_size": 9999}],
        r"enqueue\.1: hypernet\.chunk_size must be in its range",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_an_invalid_fixed_trial_is_refused(name: str) -> None:
    fixed, message = WRONG[name]
    with pytest.raises(ConfigInvalid, match=message):
        load_spec(parse_document(yaml.safe_dump({**SPEC, "enqueue": fixed}, sort_keys=False), "s.yaml"), Path("unused"))


def test_a_trial_asked_ahead_and_never_begun_is_begun_by_the_next_start(url: str) -> None:
    def leaving(driver: Driver, *arguments: Any) -> None:
        driver.next_job()
        driver.ask_ahead()
        driver.ask_ahead()
        driver.stopping = True

    run_sweep(tiny_spec(), url, backend=leaving)
    assert [row["state"] for row in ledger(url)] == ["RUNNING"]
    assert len(memory(url, "tiny")) == 2
    run_sweep(tiny_spec(), url, backend=inline)
    assert [row["state"] for row in ledger(url)] == ["COMPLETE"] * 3
    assert [trial.state.name for trial in memory(url, "tiny")] == ["COMPLETE"] * 3


def test_no_more_is_asked_ahead_than_the_budget_allows(url: str) -> None:
    def one(driver: Driver, *arguments: Any) -> None:
        driver.next_job()
        driver.ask_ahead()

    run_sweep(tiny_spec(budget={"trials": 1}), url, backend=one)
    assert len(memory(url, "tiny")) == 1
