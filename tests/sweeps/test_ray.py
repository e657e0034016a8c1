"""Sweeps on a real Ray: results as in one process, and nothing lost when processes are killed."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
import yaml

import studies
from sweeps.ray_backend.session import NICENESS
from sweeps.runner import run_sweep
from tests.sweeps.tiny import SPEC, inline, tiny_spec

COLUMNS = ["number", "seed", "config_hash", "final_accuracy", "compression_ratio"]


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "sweeps", "sweep", "run", "spec.yaml", "--workers", "2", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def wait_for(condition: Callable[[], bool], seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.2)


def ledger(folder: Path) -> dict[int, str]:
    path = folder / "hnet.db"
    if not path.exists():
        return {}
    try:
        return {row["number"]: row["state"] for row in studies.open(str(path)).ledger("tiny")}
    except Exception:  # the driver is still making the tables
        return {}


def spec_in(folder: Path, iterations: int = 3, trials: int = 6) -> Path:
    trial = {**SPEC["trial"], "training": {"iterations": iterations, "batch_size": 16}}
    content = {**SPEC, "trial": trial, "budget": {"trials": trials}}
    (folder / "spec.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    return folder


def workers_of(driver: int) -> list[int]:
    """Training processes of a driver, not those of other sweeps: Ray names them after their trainable."""
    found = []
    for process in psutil.Process(driver).children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if "ray::ResourceTrainable" in " ".join(process.cmdline()):
                found.append(process.pid)
    return found


@pytest.mark.slow
def test_two_workers_on_ray_measure_what_one_process_does(tmp_path: Path) -> None:
    done = start(spec_in(tmp_path, trials=4))
    _, errors = done.communicate(timeout=180)
    assert done.returncode == 0, errors
    run_sweep(tiny_spec(budget={"trials": 4}), str(tmp_path / "inline.db"), backend=inline)
    on_ray, in_process = (
        studies.open(str(tmp_path / name)).runs("tiny").sort_values(["number", "seed"])[COLUMNS].values.tolist()
        for name in ("hnet.db", "inline.db")
    )
    assert on_ray == in_process


@pytest.mark.slow
def test_kill_9_of_the_driver_then_the_same_command_leaves_every_number_once_and_none_running(tmp_path: Path) -> None:
    spec_in(tmp_path, iterations=150)
    for finished in (1, 3):
        driver = start(tmp_path)
        wait_for(lambda finished=finished: list(ledger(tmp_path).values()).count("COMPLETE") >= finished)  # type: ignore[misc]
        driver.kill()
        driver.wait()
    assert "RUNNING" in ledger(tmp_path).values()
    driver = start(tmp_path)
    _, errors = driver.communicate(timeout=240)
    assert driver.returncode == 0, errors
    assert re.search(r"\d interrupted and resumed", errors)
    assert ledger(tmp_path) == dict.fromkeys(range(6), "COMPLETE")
    runs = studies.open(str(tmp_path / "hnet.db")).runs("tiny")
    assert sorted(zip(runs["number"], runs["seed"], strict=True)) == [(n, s) for n in range(6) for s in range(2)]


@pytest.mark.slow
def test_a_worker_that_is_killed_is_replaced_and_its_trial_completes(tmp_path: Path) -> None:
    spec_in(tmp_path, iterations=300, trials=4)
    driver = start(tmp_path)
    wait_for(lambda: "COMPLETE" in ledger(tmp_path).values())
    wait_for(lambda: bool(workers_of(driver.pid)))
    os.kill(workers_of(driver.pid)[0], signal.SIGKILL)
    _, errors = driver.communicate(timeout=240)
    assert driver.returncode == 0, errors
    assert ledger(tmp_path) == dict.fromkeys(range(4), "COMPLETE")


@pytest.mark.slow
def test_two_workers_are_started_once_for_however_many_short_trials(tmp_path: Path) -> None:
    spec_in(tmp_path, iterations=1, trials=60)
    driver, seen = start(tmp_path), set()
    while driver.poll() is None:
        with contextlib.suppress(psutil.Error):
            seen.update(workers_of(driver.pid))
        time.sleep(0.05)
    assert driver.communicate()[1].count("60/60 done") == 1
    assert len(seen) == 2


@pytest.mark.slow
def test_workers_have_the_niceness_of_the_sweep_so_that_a_busy_machine_does_not_stop_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(NICENESS)
    spec_in(tmp_path, iterations=300, trials=2)
    driver = start(tmp_path)
    wait_for(lambda: len(workers_of(driver.pid)) == 2)
    assert {psutil.Process(worker).nice() for worker in workers_of(driver.pid)} == {psutil.Process(driver.pid).nice()}
    driver.terminate()
    driver.wait(60)


@pytest.mark.slow
def test_ctrl_c_finishes_the_running_trials_and_prints_how_to_continue(tmp_path: Path) -> None:
    spec_in(tmp_path, iterations=200, trials=50)
    driver = start(tmp_path)
    wait_for(lambda: "COMPLETE" in ledger(tmp_path).values())
    driver.send_signal(signal.SIGINT)
    _, errors = driver.communicate(timeout=120)
    assert driver.returncode == 130, errors
    assert "Stopping: waiting for" in errors
    assert "Continue with: " in errors and "sweep run spec.yaml" in errors
    states = ledger(tmp_path)
    assert set(states.values()) == {"COMPLETE"}
    assert len(states) < 50


@pytest.mark.slow
def test_a_request_to_stop_from_another_process_is_followed(tmp_path: Path) -> None:
    from studies.database.open_database import connect
    from studies.store.store import Store

    spec_in(tmp_path, iterations=200, trials=50)
    driver = start(tmp_path)
    wait_for(lambda: "COMPLETE" in ledger(tmp_path).values())
    url = str(tmp_path / "hnet.db")
    Store(connect(url)).request_stop(studies.open(url).study("tiny").id)
    _, errors = driver.communicate(timeout=120)
    assert driver.returncode == 0, errors
    assert "Stopped. Continue with: " in errors
    assert set(ledger(tmp_path).values()) == {"COMPLETE"}


@pytest.mark.slow
@pytest.mark.parametrize(
    "whole_group", [False, True], ids=["driver alone", "its workers too, as a service manager does"]
)
def test_sigterm_exits_at_once_and_the_same_command_resumes(tmp_path: Path, whole_group: bool) -> None:
    spec_in(tmp_path, iterations=200, trials=3)
    driver = start(tmp_path)
    wait_for(lambda: "RUNNING" in ledger(tmp_path).values())
    if whole_group:
        os.killpg(driver.pid, signal.SIGTERM)
    else:
        driver.terminate()
    _, errors = driver.communicate(timeout=60)
    assert driver.returncode == 143, errors
    assert "Traceback" not in errors
    driver = start(tmp_path)
    _, errors = driver.communicate(timeout=180)
    assert driver.returncode == 0, errors
    assert ledger(tmp_path) == dict.fromkeys(range(3), "COMPLETE")


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [0.0, 0.5, 1.0, 2.0], ids=str)
def test_sigterm_while_ray_starts_exits_as_at_any_other_time(tmp_path: Path, seconds: float) -> None:
    driver = start(spec_in(tmp_path))
    of_driver = psutil.Process(driver.pid)
    wait_for(lambda: any(child.name() == "raylet" for child in of_driver.children()))
    time.sleep(seconds)
    driver.terminate()
    _, errors = driver.communicate(timeout=120)
    assert driver.returncode == 143, errors
    assert "Traceback" not in errors


@pytest.mark.slow
def test_a_worker_that_hangs_is_killed_and_its_trial_resumes_elsewhere(tmp_path: Path) -> None:
    spec_in(tmp_path, iterations=300, trials=4)
    text = (tmp_path / "spec.yaml").read_text() + "limits: {task_minutes: 0.25}\n"
    (tmp_path / "spec.yaml").write_text(text)
    driver = start(tmp_path)
    wait_for(lambda: "COMPLETE" in ledger(tmp_path).values())
    wait_for(lambda: bool(workers_of(driver.pid)))
    os.kill(workers_of(driver.pid)[0], signal.SIGSTOP)
    _, errors = driver.communicate(timeout=300)
    assert driver.returncode == 0, errors
    assert "the worker finished no task within limits.task_minutes: 0.25; attempt 2 follows" in errors
    assert ledger(tmp_path) == dict.fromkeys(range(4), "COMPLETE")
