"""Runs that are interrupted while a generator, or the network of a task inference, is trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hnet_core.generators.generator import TINY as SMALL
from hnet_core.registry import GENERATORS
from hnet_core.stacked import StackedRuns
from hnet_core.training import TrialRun, run_trial
from hnet_core.trial import TrialConfig
from tests.hnet_core.checkpoints import assert_resumes_to, assert_same_state, interrupted_at_every_step, unpacked
from tests.hnet_core.tiny import tiny

WIDTHS = {"vae": {"encoder": (8,)}, "gan": {"discriminator": (8,)}}
TRAINING: dict[str, dict[str, Any]] = {
    "adam": {"iterations": 3},
    "plain": {"iterations": 3, "engine": "plain"},
    "kept": {"iterations": None, "epochs": 2, "batch_size": 100, "reset_optimizer": False},
    "schedule": {"iterations": None, "epochs": 2, "batch_size": 100, "schedule": {"after": [1], "factors": [0.1]}},
    "sgd": {"iterations": 3, "optimizer": "sgd", "momentum": 0.9},
    "rmsprop": {"iterations": 3, "optimizer": "rmsprop"},
}
GENERATOR_OPTIONS = [
    {"name": name, **SMALL, **WIDTHS.get(name, {}), **options}
    for name, generator in GENERATORS.items()
    for options in generator.tested_options
]


def config_of(kind: str, generator: dict[str, Any], training: dict[str, Any]) -> TrialConfig:
    """Return HNET+R or HNET+TIR on three tasks."""
    blocks: dict[str, Any] = {"training": training, "stream": {"n_tasks": 3, "classes_per_task": 2}}
    if kind == "replay":
        return tiny(**blocks, method={"name": "hnet_replay", "generator": generator})
    inference = {"name": "network", "generator": generator}
    return tiny(**blocks, method={"lookahead": "none"}, scenario="class", task_inference=inference)


@pytest.mark.slow
@pytest.mark.parametrize("training", TRAINING.values(), ids=TRAINING)
@pytest.mark.parametrize("generator", GENERATOR_OPTIONS, ids=str)
@pytest.mark.parametrize("kind", ["replay", "task inference"])
def test_a_run_resumes_bit_identically_from_every_step_of_every_network(
    kind: str, generator: dict[str, Any], training: dict[str, Any], tmp_path: Path
) -> None:
    config = config_of(kind, generator, training)
    steps, whole = interrupted_at_every_step(config, tmp_path)
    inference = [] if kind == "replay" else [(1, 1), (2, 0)]
    assert list(steps) == sorted([(0, -1), (0, 0), (1, -1), (1, 0), (2, -1), *inference])
    for (task, network), checkpoints in steps.items():
        if (task, network) > (0, -1):
            for checkpoint in checkpoints:
                assert_resumes_to(whole, config, checkpoint, tmp_path)


def test_a_run_interrupted_in_two_networks_of_a_task_resumes_from_each(tmp_path: Path) -> None:
    config = config_of("task inference", GENERATOR_OPTIONS[0], TRAINING["adam"])
    steps, whole = interrupted_at_every_step(config, tmp_path)
    resumed = StackedRuns(config, [3], tmp_path, {3: unpacked(steps[1, 0][1])})
    later = [resumed.checkpoints_within(step)[3] for step in resumed.pausing_task(seconds_between=0.0)]
    assert_same_state(later[-1], unpacked(steps[1, 1][-1]))
    while not resumed.finished:
        resumed.train_task()
    assert_same_state(resumed.reports[0].checkpoint, whole)


def test_no_step_of_an_earlier_network_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = config_of("task inference", GENERATOR_OPTIONS[0], TRAINING["adam"])
    steps, _ = interrupted_at_every_step(config, tmp_path)
    run = TrialRun(config, 3, tmp_path, unpacked(steps[1, 1][0]))
    made = list[str]()
    for owner, name in ((run._method, "step"), (run._inference, "_step"), (run._inference.generator, "step")):  # type: ignore[union-attr]
        step = getattr(owner, name)
        monkeypatch.setattr(
            owner, name, lambda *args, step=step, owner=owner: (made.append(type(owner).__name__), step(*args))
        )
    for _ in run.steps():
        pass
    assert made == ["Gan"] * 2


def test_stacked_seeds_resume_within_a_generator(tmp_path: Path) -> None:
    config = config_of("replay", GENERATOR_OPTIONS[0], {**TRAINING["adam"], "stack_seeds": True})
    runs = StackedRuns(config, [0, 1], tmp_path)
    runs.train_task()
    at_step = {step: runs.checkpoints_within(step) for step in runs.pausing_task(seconds_between=0.0)}
    while not runs.finished:
        runs.train_task()
    resumed = StackedRuns(config, [0, 1], tmp_path, at_step[5])
    while not resumed.finished:
        resumed.train_task()
    for ours, theirs in zip(resumed.reports, runs.reports, strict=True):
        assert_same_state(ours.checkpoint, theirs.checkpoint)
    for seed, ours in zip((0, 1), runs.results(), strict=True):
        alone = run_trial(config, seed, tmp_path)
        assert np.allclose(np.array(ours.test, float), np.array(alone.test, float), atol=0.05, equal_nan=True)
