"""`keep: front`: the checkpoints kept while a sweep runs, after a kill, and at the end."""

from __future__ import annotations

import multiprocessing
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

import hnet_core
import studies
from studies.metrics.definitions import METRICS
from sweeps.checkpoints import open_checkpoints
from sweeps.cli import app
from sweeps.driver.checkpoint_retention import CheckpointRetention
from sweeps.driver.driver import Driver
from sweeps.fault_injection import VARIABLE
from sweeps.runner import checkpoint_folder, run_sweep
from tests.sweeps.tiny import inline, tiny_spec

KEEPING = {"keep": "front", "budget": {"trials": 6}, "seeds": 1}


def metrics(accuracy: float, ratio: float) -> dict[str, list[float | None]]:
    known = {"final_accuracy": accuracy, "compression_ratio": ratio}
    return {name: [known.get(name)] for name in METRICS}


def kept_in(folder: Path) -> set[int]:
    return {int(path.name) for path in folder.glob("*")}


@settings(deadline=None, max_examples=50)  # it writes files
@given(points=st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=8))
def test_at_any_time_exactly_the_front_so_far_is_kept(points: list[tuple[int, int]], tmp_path_factory: Any) -> None:
    folder: Path = tmp_path_factory.mktemp("study")
    retention, finished = CheckpointRetention(tiny_spec(**KEEPING), str(folder)), {}
    for number, (accuracy, ratio) in enumerate(points):
        open_checkpoints(retention.location(number)).write("seed-0", b"x")
        finished[number] = metrics(accuracy, ratio)
        retention.trial_ended(number, finished)
        beaten = {
            one
            for one, (a, r) in enumerate(points[: number + 1])
            if any(b >= a and s <= r and (b, s) != (a, r) for b, s in points[: number + 1])
        }
        assert kept_in(folder) == set(finished) - beaten


def test_checkpoints_of_earlier_drivers_are_deleted_and_running_trials_keep_theirs(tmp_path: Path) -> None:
    retention = CheckpointRetention(tiny_spec(**KEEPING), str(tmp_path))
    for number in range(4):
        open_checkpoints(retention.location(number)).write("seed-0", b"x")
    finished = {0: metrics(0.9, 0.5), 1: metrics(0.8, 0.6)}
    retention.delete_unneeded(finished, running=[3])
    assert kept_in(tmp_path) == {0, 3}
    CheckpointRetention(tiny_spec(), str(tmp_path)).delete_unneeded(finished)  # without `keep`
    assert not tmp_path.exists()


def test_a_trial_that_breaks_a_constraint_is_not_kept(tmp_path: Path) -> None:
    retention = CheckpointRetention(
        tiny_spec(**KEEPING, constraints={"compression_ratio": "<= 0.5"}), str(tmp_path / "study")
    )
    for number, ratio in enumerate((0.6, 0.4)):
        open_checkpoints(retention.location(number)).write("seed-0", b"x")
        retention.trial_ended(number, {0: metrics(0.9, 0.6), number: metrics(0.9, ratio)})
    assert kept_in(tmp_path / "study") == {1}


@pytest.mark.slow
@pytest.mark.parametrize(
    "point", ["after_commit:4", "after_tell:3", pytest.param("mid_train:8", marks=pytest.mark.slow)]
)
def test_after_a_kill_the_front_is_kept_and_its_models_are_exported_without_training(
    point: str, tmp_path: Path
) -> None:
    url = str(tmp_path / "runs.db")
    child = multiprocessing.get_context("fork").Process(target=_run_until_killed, args=(url, point))
    child.start()
    child.join(timeout=120)
    assert child.exitcode == -signal.SIGKILL
    run_sweep(tiny_spec(**KEEPING), url, backend=inline)
    front = set(studies.open(url).front("tiny")["number"])
    assert kept_in(checkpoint_folder(studies.open(url).study("tiny").uuid)) == front
    number, model = min(front), tmp_path / "model.pt"
    done = CliRunner().invoke(app, ["trial", "export", "tiny", str(number), "-o", str(model), "--db", url])
    assert f"trial {number}, seed 0, its kept checkpoint; the stored result, to the bit" in done.stderr
    again = tmp_path / "again.pt"
    done = CliRunner().invoke(
        app, ["trial", "export", "tiny", str(number), "-o", str(again), "--db", url, "--storage", str(tmp_path / "no")]
    )
    assert "trained again; the stored result, to the bit" in done.stderr and "was kept in" in done.stderr
    for task in range(2):
        assert hnet_core.load(model).weights(task).equal(hnet_core.load(again).weights(task))


def _run_until_killed(url: str, point: str) -> None:
    os.environ[VARIABLE] = point
    run_sweep(tiny_spec(**KEEPING), url, backend=inline)


def test_a_seed_that_is_added_and_fails_leaves_the_kept_ones(tmp_path: Path) -> None:
    from sweeps.jobs import Failure

    def failing(driver: Driver, *arguments: Any) -> None:
        while (job := driver.next_job()) is not None:
            driver.fail(job.number, Failure("diverged"))

    url = str(tmp_path / "runs.db")
    run_sweep(tiny_spec(**{**KEEPING, "budget": {"trials": 1}}), url, backend=inline)
    run_sweep(tiny_spec(**{**KEEPING, "budget": {"trials": 1}, "seeds": 2}), url, backend=failing)
    assert kept_in(checkpoint_folder(studies.open(url).study("tiny").uuid)) == {0}
