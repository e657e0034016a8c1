"""Sweeps from spec to rows: every trial exactly once, after any interruption."""

from __future__ import annotations

import copy
import multiprocessing
import os
import shutil
import signal
import sqlite3
from pathlib import Path
from typing import Any

import optuna
import pytest

import studies
import sweeps
from hnet_core.errors import ConfigInvalid
from hnet_core.training import run_trial
from studies.metrics.values import run_metrics
from studies.spec.spec import SweepSpec
from studies.store.store import LeaseLost
from sweeps.driver.driver import Driver
from sweeps.driver.lease_heartbeat import StudyHeld, study_lease
from sweeps.driver.stop_signals import StopSignals
from sweeps.fault_injection import VARIABLE
from sweeps.jobs import Failure
from sweeps.runner import Outcome, checkpoint_folder, run_sweep
from tests.sweeps.tiny import SPEC, inline, tiny_spec


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'runs.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def any_url(request: pytest.FixtureRequest) -> str:
    name = "url" if request.param == "sqlite" else "empty_postgres"
    chosen: str = request.getfixturevalue(name)
    return chosen


def run(spec: SweepSpec, url: str, **more: Any) -> Outcome:
    return run_sweep(spec, url, backend=inline, **more)


@pytest.fixture
def finished_url(finished: Path, url: str, tmp_path: Path) -> str:
    """URL of a database in which the sweep of `tiny_spec` is finished."""
    shutil.copy(finished, tmp_path / "runs.db")
    return url


def states(url: str, name: str = "tiny") -> dict[int, str]:
    return {row["number"]: row["state"] for row in studies.open(url).ledger(name)}


def optuna_states(url: str) -> list[str]:
    storage = optuna.storages.RDBStorage(url.replace("postgresql:", "postgresql+psycopg:"))
    (summary,) = optuna.get_all_study_summaries(storage)
    return [trial.state.name for trial in optuna.load_study(study_name=summary.study_name, storage=storage).trials]


def scores(url: str, name: str = "tiny") -> list[tuple[Any, ...]]:
    """Measurements of a study, without times."""
    runs = studies.open(url).runs(name).sort_values(["number", "seed"])
    kept = ["number", "seed", "config_hash", "final_accuracy", "validation_final_accuracy", "compression_ratio"]
    return [tuple(row) for row in runs[kept].itertuples(index=False)]


def test_a_sweep_trains_every_trial_once_with_every_seed(any_url: str) -> None:
    url = any_url
    outcome = run(tiny_spec(), url)
    assert (outcome.counters.complete, outcome.counters.failed, outcome.stopped) == (3, 0, False)
    assert states(url) == dict.fromkeys(range(3), "COMPLETE")
    assert optuna_states(url) == ["COMPLETE"] * 3
    assert [(number, seed) for number, seed, *_ in scores(url)] == [(n, s) for n in range(3) for s in range(2)]


def test_stored_results_equal_those_of_the_training_core(finished_url: str) -> None:
    spec = tiny_spec()
    for row in studies.open(finished_url).runs("tiny").to_dict("records"):
        params = {name: row[name] for name in spec.search}
        expected = run_metrics(run_trial(spec.config(params), row["seed"]))
        for name in ("final_accuracy", "during_accuracy", "forgetting", "compression_ratio", "hypernet_weights"):
            assert row[name] == expected[name], name


def test_optuna_is_told_the_mean_over_seeds_on_the_validation_split(finished_url: str) -> None:
    storage = optuna.storages.RDBStorage(finished_url)
    (summary,) = optuna.get_all_study_summaries(storage)
    trials = studies.open(finished_url).trials("tiny")
    for told, row in zip(
        optuna.load_study(study_name=summary.study_name, storage=storage).trials, trials.to_dict("records"), strict=True
    ):
        assert told.values == pytest.approx([row["validation_final_accuracy"], row["compression_ratio"]])


def test_the_same_study_resumes_when_its_budget_grows(any_url: str) -> None:
    url = any_url
    run(tiny_spec(budget={"trials": 2}), url)
    before = scores(url)
    assert run(tiny_spec(budget={"trials": 4}), url).counters.complete == 4
    assert scores(url)[: len(before)] == before
    assert len(states(url)) == 4
    assert run(tiny_spec(budget={"trials": 4}), url).counters.complete == 4
    assert len(studies.open(url).study("tiny").launches) == 3


def test_a_study_that_wants_more_seeds_trains_only_the_missing_ones(url: str) -> None:
    run(tiny_spec(seeds=1), url)
    before = scores(url)
    run(tiny_spec(seeds=3), url)
    after = scores(url)
    assert [row for row in after if row[1] == 0] == before
    assert len(after) == 9
    with pytest.raises(ConfigInvalid, match="more is possible, fewer is not"):
        run(tiny_spec(seeds=2), url)


def test_a_study_of_another_spec_is_unchanged_and_the_difference_shown(finished_url: str) -> None:
    before = scores(finished_url)
    other = tiny_spec(trial={**SPEC["trial"], "training": {"iterations": 4, "batch_size": 16}})
    with pytest.raises(ConfigInvalid, match=r"--study.*trial\.training\.iterations: 3 in the study, 4 now"):
        run(other, finished_url)
    assert scores(finished_url) == before


def test_a_configuration_already_measured_is_not_trained_again(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sweeps.driver.driver.MAX_ASKS_WITHOUT_TRAINING", 30)
    spec = tiny_spec(search={"hypernet.chunk_size": {"choice": [50, 100]}}, budget={"trials": 3})
    outcome = run(spec, url)
    assert outcome.counters.complete == 2
    assert outcome.counters.duplicates > 0
    rows = studies.open(url).ledger("tiny")
    trained = {row["number"]: row["config_hash"] for row in rows if row["duplicate_of"] is None}
    assert len(set(trained.values())) == len(trained) == 2
    for row in rows:
        assert row["state"] == "COMPLETE"
        if row["duplicate_of"] is not None:
            assert trained[row["duplicate_of"]] == row["config_hash"]
    assert set(optuna_states(url)) == {"COMPLETE"}


def test_a_trial_that_breaks_a_constraint_on_weights_is_skipped_untrained_and_outside_the_budget(url: str) -> None:
    outcome = run(tiny_spec(constraints={"compression_ratio": "<= 0.45"}, budget={"trials": 4}), url)
    assert outcome.counters.complete == 4
    assert outcome.counters.skipped > 0
    for row in studies.open(url).ledger("tiny"):
        ratio = row["model_weights"] / row["target_weights"]
        assert row["state"] == ("SKIPPED" if ratio > 0.45 else "COMPLETE")
        assert (row["reason"] == "infeasible: compression_ratio <= 0.45 does not hold") == (ratio > 0.45)


def test_an_impossible_combination_is_skipped_with_its_reason_as_it_was_asked(url: str) -> None:
    families = {"mlp": {"target": {"name": "mlp", "hidden": [12]}}, "conv": {"target": {"name": "zenkenet"}}}
    search = {"method.beta_output": {"choice": [0.1, 0.2]}}
    outcome = run(tiny_spec(families=families, search=search, sampler="grid"), url)
    assert (outcome.counters.complete, outcome.counters.skipped) == (2, 2)
    for row in studies.open(url).ledger("tiny"):
        if row["params"]["family"] == "mlp":
            assert (row["state"], row["config"]["target"]["name"]) == ("COMPLETE", "mlp")
            continue
        assert row["reason"].startswith("impossible combination: target zenkenet cannot take images of 8 x 8 pixels")
        assert (row["state"], row["config"]["target"]["name"]) == ("SKIPPED", "zenkenet")
        assert row["target_weights"] is row["model_weights"] is None
        assert row["config"]["method"]["beta_output"] == row["params"]["method.beta_output"]
    table = studies.open(url).trials("tiny")
    assert table["compression_ratio"].isna().tolist() == (table["state"] == "SKIPPED").tolist()
    with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
        ratios = connection.execute("SELECT state, compression_ratio FROM trial_metrics ORDER BY number").fetchall()
    assert all((ratio is None) == (state == "SKIPPED") for state, ratio in ratios)


def test_a_search_space_without_feasible_points_ends_with_a_warning(
    url: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sweeps.driver.driver.MAX_ASKS_WITHOUT_TRAINING", 30)
    outcome = run(tiny_spec(constraints={"compression_ratio": "<= 0.0001"}), url)
    assert outcome.counters.complete == 0
    assert "the search space seems exhausted" in caplog.text


def test_a_grid_is_trained_point_by_point_and_ends_by_itself(url: str) -> None:
    search = {"hypernet.chunk_size": {"choice": [50, 100]}, "method.beta_output": {"choice": [0.01, 0.1]}}
    outcome = run(tiny_spec(search=search, sampler="grid", budget={"trials": 100}), url)
    assert outcome.counters.complete == 4
    points = studies.open(url).trials("tiny")[list(search)]
    assert len(points.drop_duplicates()) == 4


@pytest.mark.slow
@pytest.mark.parametrize("sampler", ["tpe", "nsga2", pytest.param("gp", marks=pytest.mark.slow)])
def test_every_sampler_works_with_constraints(url: str, sampler: str) -> None:
    spec = tiny_spec(
        sampler=sampler, seeds=1, constraints={"compression_ratio": "<= 1.0", "forgetting": "<= 0.9"},
        budget={"trials": 12},
    )  # fmt: skip
    assert run(spec, url).counters.complete == 12


def test_a_trial_that_fails_becomes_a_row_with_its_reason_and_the_sweep_continues(url: str) -> None:
    # A learning rate that overflows makes the outputs infinite in every trial that uses it.
    search = {"training.lr": {"choice": [1e30, 0.01]}}
    outcome = run(tiny_spec(search=search, sampler="grid", budget={"trials": 2}), url)
    assert (outcome.counters.complete, outcome.counters.failed) == (1, 1)
    (failed,) = [row for row in studies.open(url).ledger("tiny") if row["state"] == "FAILED"]
    assert failed["reason"].startswith("training diverged")
    assert "TrainingDiverged" in failed["traceback"]
    assert sorted(optuna_states(url)) == ["COMPLETE", "FAIL"]
    assert not any(checkpoint_folder(studies.open(url).study("tiny").uuid).glob("*"))


def test_checkpoints_that_cannot_be_written_are_noticed_before_there_is_a_database(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(ConfigInvalid, match="--storage"):
        run(tiny_spec(), url)
    assert not (tmp_path / "runs.db").exists()


@pytest.mark.parametrize("scheme", ["", "file://"])
def test_a_storage_that_cannot_be_written_is_refused_before_there_is_a_database(tmp_path: Path, scheme: str) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(ConfigInvalid, match=r"that can be written, got .*name another one with --storage") as no:
        run(tiny_spec(), str(tmp_path / "runs.db"), storage=f"{scheme}{tmp_path}/file/below")
    assert "\n" not in str(no.value)
    assert not (tmp_path / "runs.db").exists()


def test_a_driver_that_is_stopped_finishes_its_trial_and_leaves_the_rest(url: str) -> None:
    def stopping(driver: Driver, *arguments: Any) -> None:
        job = driver.next_job()
        assert job is not None
        driver.fail(job.number, Failure("first"))
        driver.stopping = True
        assert driver.next_job() is None
        assert driver.finished

    run_sweep(tiny_spec(), url, backend=stopping)
    assert states(url) == {0: "FAILED"}
    assert run(tiny_spec(), url).counters.asked == 3


def test_a_second_driver_of_a_running_study_is_refused(url: str) -> None:
    refused: list[str] = []

    def second(driver: Driver, *arguments: Any) -> None:
        with pytest.raises(StudyHeld, match=f"is driven by process {os.getpid()}") as error:
            run(tiny_spec(), url)
        refused.append(str(error.value))

    run_sweep(tiny_spec(), url, backend=second)
    assert "hnet sweep stop tiny" in refused[0]


def test_the_lease_of_a_dead_process_on_this_machine_is_taken_over_at_once(url: str) -> None:
    from studies.database.open_database import connect
    from studies.store.store import Store

    store = Store(connect(url, create=True))
    study_id = store.create_study("tiny", {}, 1)
    child = multiprocessing.get_context("fork").Process(target=os._exit, args=(0,))
    child.start()
    child.join()
    assert child.pid is not None
    host = os.uname().nodename
    assert store.acquire_lease(study_id, "dead", host, child.pid, 1000)
    with study_lease(store, study_id, "tiny", lambda: None, lambda error: None):
        holder = store.lease_holder(study_id)
        assert holder is not None and holder["pid"] == os.getpid()
    assert store.lease_holder(study_id) is None
    assert store.acquire_lease(study_id, "elsewhere", "another-host", child.pid, 1000)
    with (
        pytest.raises(StudyHeld, match="another-host"),
        study_lease(store, study_id, "tiny", lambda: None, lambda error: None),
    ):
        pass


@pytest.fixture(scope="module")
def undisturbed(finished: Path) -> list[tuple[Any, ...]]:
    return scores(f"sqlite:///{finished}")


CRASHES = ["after_ask:2", "after_row:2", "mid_train:6", "after_checkpoint:6", "after_commit:2", "after_tell:1"]


@pytest.mark.parametrize("point", CRASHES)
def test_after_kill_9_at_any_point_the_same_command_ends_as_if_uninterrupted(
    url: str, point: str, undisturbed: list[tuple[Any, ...]]
) -> None:
    _ends_as_if_uninterrupted(url, point, undisturbed)


@pytest.mark.slow
@pytest.mark.parametrize("point", CRASHES)
def test_after_kill_9_at_any_point_postgresql_ends_as_if_uninterrupted(
    empty_postgres: str, point: str, undisturbed: list[tuple[Any, ...]]
) -> None:
    _ends_as_if_uninterrupted(empty_postgres, point, undisturbed)


def _ends_as_if_uninterrupted(url: str, point: str, undisturbed: list[tuple[Any, ...]]) -> None:
    run_until_killed(url, point)
    assert len(states(url)) <= 3
    run(tiny_spec(), url)
    assert states(url) == dict.fromkeys(range(3), "COMPLETE")
    assert optuna_states(url) == ["COMPLETE"] * 3
    again = scores(url)
    # Trials asked before the kill are the same ones; later draws depend on how often the sampler was seeded.
    assert len(again) == len(undisturbed)
    assert again[:2] == undisturbed[:2]


def test_a_start_that_only_finished_asking_for_a_trial_does_not_make_the_next_one_repeat_it(tmp_path: Path) -> None:
    url = str(tmp_path / "hnet.db")
    run_until_killed(url, "after_ask:2")  # trial 1 is asked for and has no parameters
    run_until_killed(url, "after_row:1")  # now it has, and no further trial was asked for
    run(tiny_spec(), url)
    assert states(url) == dict.fromkeys(range(3), "COMPLETE"), "no configuration twice"


def run_until_killed(url: str, point: str) -> None:
    child = multiprocessing.get_context("fork").Process(target=_run_to_crash, args=(url, point))
    child.start()
    child.join(timeout=120)
    assert child.exitcode == -signal.SIGKILL


def _run_to_crash(url: str, point: str) -> None:
    os.environ[VARIABLE] = point
    run(tiny_spec(), url)


@pytest.mark.slow
def test_a_trial_whose_driver_died_too_often_is_given_up(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sweeps.driver.reconcile.MAX_ATTEMPTS", 3)
    for _ in range(3):
        run_until_killed(url, "mid_train")
    run(tiny_spec(seeds=2), url)
    (failed,) = [row for row in studies.open(url).ledger("tiny") if row["state"] == "FAILED"]
    assert failed["reason"].startswith("gave up after 3 attempts")
    assert len(states(url)) == 3


def test_a_sweep_can_be_run_from_python_with_a_plain_dict(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sweeps.runner._ray", lambda: inline)
    before = copy.deepcopy(SPEC)
    outcome = sweeps.run(SPEC, db=url, assignments=["budget.trials=1"])
    assert isinstance(outcome, sweeps.Outcome) and outcome.counters.complete == 1
    assert states(url) == {0: "COMPLETE"}
    assert before == SPEC, "the caller's dict stays as it was"
    with pytest.raises(ConfigInvalid, match=r"^spec: sampler: "):
        sweeps.run({**SPEC, "sampler": "nothing"}, db=url)


@pytest.mark.slow
def test_a_configuration_that_failed_and_is_asked_again_does_not_stall_the_sweep(url: str) -> None:
    search = {"training.lr": {"choice": [1e30, 0.01]}}
    outcome = run(tiny_spec(search=search, budget={"trials": 6}, seeds=1), url)
    assert "RUNNING" not in states(url).values()
    assert outcome.counters.failed >= 1
    assert outcome.counters.complete == 1


def test_a_refused_driver_changes_nothing_of_the_study(url: str) -> None:
    def second(driver: Driver, *arguments: Any) -> None:
        with pytest.raises(StudyHeld):
            run(tiny_spec(seeds=5, budget={"trials": 99}), url)

    run_sweep(tiny_spec(), url, backend=second)
    record = studies.open(url).study("tiny")
    assert (record.seeds, record.spec["budget"]) == (2, {"trials": 3})


@pytest.mark.parametrize("arrives", ["stop", "lose"])
def test_a_signal_before_the_driver_is_ready_takes_effect(
    url: str, monkeypatch: pytest.MonkeyPatch, arrives: str
) -> None:
    def early(driver: Driver, found: Any) -> int:
        signals = attached[0]
        signals.stop() if arrives == "stop" else signals.lease_lost(LeaseLost("taken over"))
        return 0

    attached: list[StopSignals] = []
    enter = StopSignals.__enter__
    monkeypatch.setattr(StopSignals, "__enter__", lambda self: attached.append(self) or enter(self))
    monkeypatch.setattr("sweeps.runner.reconcile", early)
    if arrives == "stop":
        assert run(tiny_spec(), url).stopped
    else:
        with pytest.raises(LeaseLost, match="taken over"):
            run(tiny_spec(), url)
    assert states(url) == {}


def test_a_grid_with_infeasible_points_asks_for_each_point_once(url: str) -> None:
    search = {"hypernet.chunk_size": {"choice": [20, 30, 600]}}
    outcome = run(
        tiny_spec(search=search, sampler="grid", constraints={"compression_ratio": "<= 1.0"}, budget={"trials": 50}),
        url,
    )
    assert (outcome.counters.complete, outcome.counters.skipped) == (2, 1)
    assert len(states(url)) == 3


def test_a_stop_keeps_the_checkpoints_of_trials_that_are_not_finished(url: str) -> None:
    def leaving(driver: Driver, *arguments: Any) -> None:
        job = driver.next_job()
        assert job is not None
        (Path(job.checkpoints)).mkdir(parents=True)
        (Path(job.checkpoints) / "seed-0.pt").write_bytes(b"kept")
        driver.stopping = True

    run_sweep(tiny_spec(), url, backend=leaving)
    folder = checkpoint_folder(studies.open(url).study("tiny").uuid)
    assert (folder / "0" / "seed-0.pt").exists()


def test_no_password_is_stored_with_a_launch(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["hnet", "sweep", "run", "x", "--db=postgresql://bob:SEKRET@host/x"])
    run(tiny_spec(budget={"trials": 1}), url)
    (launch,) = studies.open(url).study("tiny").launches
    assert "SEKRET" not in str(launch)
    assert "postgresql://bob:***@host/x" in launch["command_line"]


def test_the_head_of_a_cluster_needs_no_gpu_and_this_machine_does(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    spec = tiny_spec(trial={**SPEC["trial"], "training": {"iterations": 3, "device": "cuda"}})
    with pytest.raises(ConfigInvalid, match=r"training\.device is cuda, but torch finds no GPU here"):
        run(spec, url)
    run_sweep(spec, url, address="auto", backend=lambda *_: None)
    (launch,) = studies.open(url).study("tiny").launches
    assert launch["device"] == "cuda, as the workers of a cluster find it"


def test_more_memory_than_there_is_is_refused_with_both_numbers_before_there_is_a_database(
    url: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigInvalid, match=r"at most the [\d.]+ [KMGT]iB that this process may use, got 900 TiB"):
        run(tiny_spec(resources={"memory": "900 TiB"}), url)
    assert not (tmp_path / "runs.db").exists()


def test_resources_may_change_when_a_study_continues(url: str) -> None:
    run(tiny_spec(seeds=1), url)
    outcome = run(tiny_spec(seeds=1, resources={"cpus": 2}, budget={"trials": 4}), url)
    assert outcome.counters.complete == 4
    threads = [run_["threads"] for row in range(4) for run_ in studies.open(url).trial("tiny", row)["runs"]]
    assert threads == [1, 1, 1, 2]
