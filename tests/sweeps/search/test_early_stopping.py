"""Early stopping and racing in whole sweeps: on the simulated clock, in this process, and after a restart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import studies
from hnet_core.build import steps_per_task
from hnet_core.errors import ConfigInvalid
from hnet_core.trial import TrialResult
from studies.spec.document import parse_document
from studies.spec.loading import load_spec
from studies.spec.spec import SweepSpec
from sweeps.driver.driver import Driver
from sweeps.jobs import Job
from sweeps.runner import run_sweep
from sweeps.search.early_stopping import StoppingRules
from sweeps.simulated_backend import simulate
from tests.hnet_core.tiny import TINY
from tests.sweeps.tiny import SPEC, inline, tiny_spec

N_TASKS = 5
STOPPING = {
    "trial": {**TINY, "training": {"iterations": 3, "batch_size": 16}},
    "early_stopping": {"eta": 2, "rungs": [1, 3]},
    "objectives": {"final_accuracy": "maximize"},
    "seeds": 1,
    "budget": {"trials": 8},
}


def simulated(accuracy: Any, clock: list[float] | None = None) -> Any:
    """A simulated backend: each task takes a second, and every cell has `accuracy(job, seed)`."""

    def backend(driver: Driver, workers: int, address: str | None, on_message: Any) -> None:
        def result_of(job: Job, seed: int) -> TrialResult:
            row = studies_row(driver, job)
            value = accuracy(job, seed)
            cells = tuple(tuple(value if j <= i else None for j in range(N_TASKS)) for i in range(N_TASKS))
            return TrialResult(
                **row, seed=seed, test=cells, validation=cells, untrained=(0.1,) * N_TASKS, seconds=(1.0,) * N_TASKS,
                peak_memory_mib=1.0, device="cpu", threads=1, data_checksum="0",
            )  # fmt: skip

        end = simulate(driver, workers, on_message, result_of)
        if clock is not None:
            clock.append(end)

    return backend


def studies_row(driver: Driver, job: Job) -> dict[str, Any]:
    from hnet_core.build import networks, stream_shape
    from hnet_core.config_validation import parse_trial

    config = parse_trial(job.config)
    counts = networks(config, stream_shape(config)).counts
    return {"config_hash": config.hash(), "measure": "accuracy", "counts": counts}


def by_number(job: Job, seed: int) -> float:
    return [0.5, 0.2, 0.6, 0.3, 0.1, 0.7, 0.65, 0.05][job.number]


def ledger(url: str) -> dict[int, tuple[str, str | None]]:
    return {row["number"]: (row["state"], row["reason"]) for row in studies.open(url).ledger("tiny")}


def test_the_worse_half_is_stopped_at_each_rung_and_its_curve_is_kept(tmp_path: Path) -> None:
    url, clock = str(tmp_path / "runs.db"), []
    outcome = run_sweep(tiny_spec(**STOPPING), url, workers=2, backend=simulated(by_number, clock))
    states = ledger(url)
    assert {number for number, (state, _) in states.items() if state == "PRUNED"} == {1, 3, 4, 7}
    assert states[1][1] == "stopped after task 1: place 2 of 2, the best 1 go on"
    assert (outcome.counters.complete, outcome.counters.pruned) == (4, 4)
    assert clock[0] == 12.0  # 4 whole trials and 4 single tasks on two workers; without stopping it takes 20 s
    found = studies.open(url)
    curve = found.matrices("tiny", 1, "validation")[0]
    assert np.nanmax(curve) == 0.2 and np.isfinite(curve).sum() == 1
    trials = found.trials("tiny").set_index("number")
    assert trials.loc[1, "n"] == 0 and np.isnan(trials.loc[1, "final_accuracy"])
    assert set(found.runs("tiny")["number"]) == {0, 2, 5, 6}
    assert set(found.front("tiny")["number"]) == {5}
    view = found.sql("SELECT number, n, final_accuracy FROM trial_metrics WHERE state = 'PRUNED'")
    assert (view["n"] == 0).all() and view["final_accuracy"].isna().all()


@pytest.mark.slow
def test_a_resumed_study_remembers_the_scores_at_its_rungs(tmp_path: Path) -> None:
    url = str(tmp_path / "runs.db")
    run_sweep(tiny_spec(**{**STOPPING, "budget": {"trials": 3}}), url, workers=2, backend=simulated(by_number))
    run_sweep(tiny_spec(**STOPPING), url, workers=2, backend=simulated(by_number))
    in_parts = ledger(url)
    other = str(tmp_path / "other.db")
    run_sweep(tiny_spec(**STOPPING), other, workers=2, backend=simulated(by_number))
    assert {number: state for number, (state, _) in in_parts.items()} == {
        number: state for number, (state, _) in ledger(other).items()
    }


@pytest.mark.slow
def test_a_real_training_run_is_stopped_at_a_rung(tmp_path: Path) -> None:
    url = str(tmp_path / "runs.db")
    search = {"training.lr": {"choice": [0.03, 0.000001]}}
    changes = {**STOPPING, "search": search, "sampler": "grid", "early_stopping": {"eta": 2, "rungs": [2]}, "seeds": 2}
    assert run_sweep(tiny_spec(**changes), url, backend=inline).counters.pruned == 1
    assert ledger(url)[1] == ("PRUNED", "stopped after task 2: place 2 of 2, the best 1 go on")
    assert [run["seed"] for run in studies.open(url).trial("tiny", 1)["runs"]] == [0]
    assert studies.open(url).trials("tiny")["n"].tolist() == [2, 0]


def test_a_trial_that_is_continued_past_a_rung_is_judged_there(tmp_path: Path) -> None:
    from sweeps.worker import work

    job = Job(
        0,
        1,
        tiny_spec(**STOPPING).config().model_dump(mode="json"),
        (0,),
        "",
        str(tmp_path),
        rungs=(1, 3),
        lengths=(1,) * 5,
    )
    messages = work(job)
    steps = [next(messages) for _ in range(2)]
    assert [step.so_far is not None for step in steps] == [True, False]
    messages.close()  # type: ignore[attr-defined]
    continued = next(work(job))
    so_far = continued.so_far
    assert continued.tasks_done == 2 and len(so_far["test"]) == 2


def test_further_seeds_are_trained_only_while_the_trial_may_be_on_the_front(tmp_path: Path) -> None:
    url = str(tmp_path / "runs.db")
    spec = tiny_spec(**{**STOPPING, "early_stopping": None, "racing": True, "seeds": 5, "budget": {"trials": 3}})
    levels = {0: 0.9, 1: 0.5, 2: 0.89}

    def accuracy(job: Job, seed: int) -> float:
        return levels[job.number] + 0.02 * (seed % 2)

    run_sweep(spec, url, workers=1, backend=simulated(accuracy))
    trials = studies.open(url).trials("tiny")
    assert trials["state"].tolist() == ["COMPLETE"] * 3
    assert trials["n"].tolist() == [5, 2, 5]
    run_sweep(spec, url, workers=1, backend=simulated(accuracy))
    assert studies.open(url).trials("tiny")["n"].tolist() == [5, 2, 5]


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "rungs beyond the end": ({"early_stopping": {"rungs": [9]}}, r"early_stopping\.rungs: must be below the number of"),
    "iterations beyond the end": (
        {"early_stopping": {"unit": "iterations", "rungs": [15]}},
        r"early_stopping\.rungs: must be below the number of iterations",
    ),
    "falling rungs": ({"early_stopping": {"rungs": [3, 1]}}, "must be rising numbers of tasks"),
    "eta of one": ({"early_stopping": {"eta": 1}}, r"early_stopping\.eta: must be greater"),
    "race of two seeds": ({"racing": True, "seeds": 2}, "racing: needs at least 3 seeds"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_rule_is_refused(name: str) -> None:
    import yaml

    changes, message = WRONG[name]
    with pytest.raises(ConfigInvalid, match=message):
        load_spec(parse_document(yaml.safe_dump({**SPEC, **changes}, sort_keys=False), "s.yaml"), Path("unused"))


def test_a_spec_with_early_stopping_survives_the_database() -> None:
    spec = tiny_spec(**STOPPING)
    assert SweepSpec.model_validate(spec.to_dict()) == spec


IN_ITERATIONS = {**STOPPING, "early_stopping": {"eta": 2, "unit": "iterations", "rungs": [2, 6, 10]}}


def test_a_rung_within_a_task_measures_that_task_there_and_changes_no_result(tmp_path: Path) -> None:
    from sweeps.worker import work

    config = tiny_spec(**STOPPING).config().model_dump(mode="json")
    plain: Any = list(work(Job(0, 1, config, (0,), "", str(tmp_path / "plain"))))
    rungs = {"rungs": (2, 6, 10), "rung_unit": "iterations", "lengths": (3,) * 5}
    steps: Any = list(work(Job(0, 1, config, (0,), "", str(tmp_path / "judged"), **rungs)))
    judged = [(step.tasks_done, step.within, len(step.so_far["test"])) for step in steps[:-1] if step.so_far]
    assert judged == [(0, 2, 1), (2, 0, 2), (3, 1, 4)]  # three iterations per task
    assert [(run["test"], run["validation"]) for run in steps[-1].results] == [
        (run["test"], run["validation"]) for run in plain[-1].results
    ]
    first = steps[0].so_far["test"][0]
    assert first[0] is not None and set(first[1:]) == {None}


@pytest.mark.slow
def test_a_trial_is_stopped_within_its_first_task_and_the_resumed_study_remembers_it(tmp_path: Path) -> None:
    search = {"training.lr": {"choice": [0.03, 0.000001, 0.0000011]}}
    changes = {**IN_ITERATIONS, "search": search, "sampler": "grid", "seeds": 2}
    in_parts, at_once = str(tmp_path / "parts.db"), str(tmp_path / "once.db")
    run_sweep(tiny_spec(**{**changes, "budget": {"trials": 2}}), in_parts, backend=inline)
    outcome = run_sweep(tiny_spec(**changes), in_parts, backend=inline)
    run_sweep(tiny_spec(**changes), at_once, backend=inline)
    assert ledger(in_parts) == ledger(at_once)
    assert outcome.counters.pruned >= 1
    stopped = {number: reason for number, (state, reason) in ledger(at_once).items() if state == "PRUNED"}
    assert all(reason is not None and " iterations: place " in reason for reason in stopped.values())
    for number, reason in stopped.items():
        runs = studies.open(at_once).trial("tiny", number)["runs"]
        assert len(runs) == (0 if str(reason).startswith("stopped after 2 ") else 1)


def test_a_trial_that_is_continued_is_not_judged_at_a_rung_it_passed_within_a_task(tmp_path: Path) -> None:
    from sweeps.worker import work

    rungs = {"rungs": (2, 6, 10), "rung_unit": "iterations", "lengths": (3,) * 5}
    job = Job(0, 1, tiny_spec(**STOPPING).config().model_dump(mode="json"), (0,), "", str(tmp_path), **rungs)
    messages = work(job)
    for _ in range(3):
        last = next(messages)
    assert (last.tasks_done, last.within) == (2, 0)
    messages.close()  # type: ignore[attr-defined]
    rules = StoppingRules(tiny_spec(**IN_ITERATIONS))
    noted: list[int] = []
    for step in work(job):
        if getattr(step, "so_far", None):
            rules.reason_to_stop(
                job, TrialResult.from_dict(step.so_far), step.within, lambda rung, _: noted.append(rung)
            )
    assert noted == [6, 10]


@pytest.mark.slow
def test_rungs_in_iterations_follow_the_steps_that_each_task_has_in_epochs(tmp_path: Path) -> None:
    trial = {**TINY, "training": {"epochs": 1, "batch_size": 109}}
    stopping = {"eta": 2, "unit": "iterations", "rungs": [7, 8]}
    search = {"training.lr": {"choice": [0.03, 0.000001]}}
    changes = {**STOPPING, "trial": trial, "early_stopping": stopping, "search": search, "sampler": "grid"}
    spec = tiny_spec(**{**changes, "budget": {"trials": 1}})
    lengths = StoppingRules(spec).lengths(spec.config(), Path("unused"))
    assert lengths == steps_per_task(spec.config()) and len(set(lengths)) > 1
    run_sweep(spec, str(tmp_path / "parts.db"), backend=inline)
    run_sweep(tiny_spec(**changes), str(tmp_path / "parts.db"), backend=inline)
    run_sweep(tiny_spec(**changes), str(tmp_path / "once.db"), backend=inline)
    assert ledger(str(tmp_path / "parts.db")) == ledger(str(tmp_path / "once.db"))
    state, reason = ledger(str(tmp_path / "once.db"))[1]
    assert state == "PRUNED" and str(reason).startswith("stopped after 7 iterations")
