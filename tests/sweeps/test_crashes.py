"""kill -9 at every named point of a sweep on a real Ray, on both databases: nothing is lost, repeated or left running.

Three of the twenty are among the slow tests; `make chaos` runs all.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

import studies
from hnet_core.config_validation import parse_trial
from hnet_core.training import run_trial
from tests.sweeps.test_runner import optuna_states
from tests.sweeps.tiny import SPEC

N_TRIALS, N_SEEDS, N_TASKS, WORKERS = 4, 2, 2, 2

# Where, and how often one process passes there before it is killed.
OF_DRIVER = {"after_ask": 2, "after_row": 3, "after_commit": 2, "after_tell": 1}
OF_TRAINING = {"within_task": 5, "mid_train": 3, "after_checkpoint": 3}
SLOW_TESTS = [
    ("after_commit", "driver", "sqlite"),
    ("mid_train", "worker", "postgresql"),
    ("within_task", "worker", "sqlite"),
]


def cases() -> list[Any]:
    found = [(point, "driver", db) for point in (*OF_DRIVER, *OF_TRAINING) for db in ("sqlite", "postgresql")]
    found += [(point, "worker", db) for point in OF_TRAINING for db in ("sqlite", "postgresql")]
    return [pytest.param(*one, marks=pytest.mark.slow if one in SLOW_TESTS else pytest.mark.chaos) for one in found]


def command(folder: Path, url: str, victim: str = "worker", **environment: str) -> tuple[int, str]:
    spec = {**SPEC, "budget": {"trials": N_TRIALS}, "limits": {"checkpoint_minutes": 1e-9}}  # after every step
    (folder / "spec.yaml").write_text(yaml.safe_dump(spec, sort_keys=False))
    log = {"HNET_CRASH_LOG": str(folder / "points.log")}
    run = [sys.executable, "-m", "sweeps", "sweep", "run", "spec.yaml", "--workers", str(WORKERS), "--db", url]
    known = "HNET_CRASH_PID=$$ " if victim == "driver" else ""  # so that a worker can kill its driver
    done = subprocess.run(
        ["sh", "-c", f'{known}exec "$@"', "sh", *run],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), **log, **environment},
        capture_output=True,
        text=True,
        timeout=400,
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize(("point", "victim", "database"), cases())
def test_after_kill_9_the_same_command_ends_with_every_trial_once_and_its_own_result(
    point: str, victim: str, database: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = str(tmp_path / "hnet.db") if database == "sqlite" else request.getfixturevalue("empty_postgres")
    trap = f"{point}:{(OF_DRIVER | OF_TRAINING)[point]}:{tmp_path / 'killed'}"
    code, errors = command(tmp_path, url, victim, HNET_CRASH_AT=trap)
    assert (tmp_path / "killed").exists(), errors
    assert code == (0 if victim == "worker" else -signal.SIGKILL), errors
    code, errors = command(tmp_path, url)
    assert code == 0, errors

    rows = studies.open(url).ledger("tiny")
    assert [(row["number"], row["state"]) for row in rows] == [(number, "COMPLETE") for number in range(N_TRIALS)]
    assert optuna_states(f"sqlite:///{url}" if database == "sqlite" else url) == ["COMPLETE"] * N_TRIALS
    for row in rows:
        matrices = studies.open(url).matrices("tiny", row["number"])
        for seed in range(N_SEEDS):
            alone = run_trial(parse_trial(row["config"]), seed)
            expected = np.array([alone.untrained, *alone.test], dtype=float)
            assert np.array_equal(matrices[seed], expected, equal_nan=True)
    trained = (tmp_path / "points.log").read_text().splitlines().count("mid_train")
    assert trained <= N_TRIALS * N_SEEDS * N_TASKS + WORKERS
