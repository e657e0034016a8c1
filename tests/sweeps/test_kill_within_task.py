"""kill -9 of a worker in the middle of a task of every method and generator: the weights end bit-identical."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hnet_core.registry import METHODS
from hnet_core.trial import TrialConfig
from sweeps.checkpoints import open_checkpoints
from sweeps.fault_injection import VARIABLE
from sweeps.jobs import Job
from sweeps.worker import latest_checkpoints
from tests.hnet_core.checkpoints import (
    assert_resumes_to,
    assert_same_state,
    interrupted_at_every_step,
    packed_checkpoint,
    unpacked,
)
from tests.hnet_core.conftest import stand_ins  # noqa: F401  (fixture)
from tests.hnet_core.test_contract import TRAINING, first_possible, impossible
from tests.hnet_core.test_further_networks import GENERATOR_OPTIONS, config_of
from tests.hnet_core.tiny import tiny

OPTIMIZERS = {name: TRAINING[name] for name in ("adam, kept, factors", "sgd, kept", "rmsprop", "plateau")}
WORKER = (
    "import json, sys; from sweeps.jobs import Job; from sweeps.worker import work; "
    "list(work(Job.from_dict(json.loads(sys.argv[1]))))"
)


def cases() -> Iterator[Any]:
    """Every method with one optimiser and schedule after the other, then every generator."""
    for position, name in enumerate(METHODS):
        optimizer = list(OPTIMIZERS)[position % len(OPTIMIZERS)]
        yield pytest.param({"method": name, "optimizer": optimizer}, id=f"{name}-{optimizer}")
    for position, options in enumerate(GENERATOR_OPTIONS):
        kind = ("replay", "task inference")[position % 2]
        yield pytest.param({"kind": kind, "generator": options}, id=f"{kind}-{options['name']}-{position}")


def config_for(case: dict[str, Any], root: Path) -> TrialConfig:
    if "kind" in case:
        return config_of(case["kind"], case["generator"], {"iterations": 4})
    method = {"name": case["method"], **METHODS[case["method"]].tested_options[0]}
    config = tiny(method=method, training=OPTIMIZERS[case["optimizer"]])
    return config if impossible(config, root) is None else first_possible(method, root)


@pytest.mark.slow
@pytest.mark.parametrize("case", list(cases()))
def test_a_worker_killed_in_the_middle_of_a_task_leaves_what_its_weights_end_bit_identically_from(
    case: dict[str, Any],
    stand_ins: Path,  # noqa: F811
    tmp_path: Path,
) -> None:
    config = config_for(case, stand_ins)
    steps, whole = interrupted_at_every_step(config, stand_ins)
    stages = list(steps)
    victim = max(stage for stage in stages if stage[0] <= 1)  # the last network trained on the second task
    n_before = sum(len(steps[stage]) for stage in stages[: stages.index(victim)])
    middle = (len(steps[victim]) + 1) // 2
    content = config.model_dump(mode="json")
    folder = str(tmp_path / "checkpoints")
    job = Job(0, 1, content, (3,), data_root=str(stand_ins), checkpoints=folder, checkpoint_minutes=1e-9)
    done = subprocess.run(
        [sys.executable, "-c", WORKER, json.dumps(job.to_dict())],
        env={**os.environ, VARIABLE: f"within_task:{n_before + middle}"},
    )
    assert done.returncode == -signal.SIGKILL
    newest = latest_checkpoints(open_checkpoints(folder))[3]
    assert_same_state(newest, unpacked(steps[victim][middle - 1]))
    assert_resumes_to(whole, config, packed_checkpoint(newest), stand_ins)
