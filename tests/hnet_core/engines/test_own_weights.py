"""Training the target network itself: both engines give the same weights."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from hnet_core.training import TrialRun
from tests.hnet_core.tiny import tiny


@pytest.mark.parametrize("training", [{}, {"reset_optimizer": False}], ids=str)
@pytest.mark.parametrize(
    "stream", [{}, {"name": "permuted", "dataset": "digits", "n_tasks": 2}, {"name": "polynomials"}], ids=str
)
def test_finetuning_gives_the_same_weights_with_both_engines(stream: dict[str, Any], training: dict[str, Any]) -> None:
    weights = []
    for engine in ("plain", "fast"):
        steps = {"iterations": 10, "engine": engine, **training}
        config = tiny(method={"name": "finetune"}, stream=stream, training=steps)
        run = TrialRun(config, seed=0, dtype=torch.float64)
        for _ in range(2):
            checkpoint = run.train_task().checkpoint
        weights.append(checkpoint["method"]["flat"])
    torch.testing.assert_close(weights[1], weights[0], rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("engines", [("plain", "fast"), ("fast", "plain"), ("fast", "fast")], ids="-".join)
def test_a_kept_optimiser_is_resumed_by_either_engine(engines: tuple[str, str]) -> None:
    """The state of a kept Adam has the same form in both: a checkpoint of one continues in the other."""
    method = {"name": "finetune"}
    first, then = (
        tiny(method=method, training={"reset_optimizer": False, "engine": engine, "stack_seeds": False})
        for engine in engines
    )
    run = TrialRun(first, seed=0, dtype=torch.float64)
    checkpoint = run.train_task().checkpoint
    whole = run.train_task().checkpoint
    resumed = TrialRun(then, seed=0, dtype=torch.float64, resume=checkpoint).train_task().checkpoint
    torch.testing.assert_close(resumed["method"]["flat"], whole["method"]["flat"], rtol=1e-9, atol=1e-11)
    fresh = {**checkpoint, "optimizers": []}
    reset = TrialRun(then, seed=0, dtype=torch.float64, resume=fresh).train_task().checkpoint
    assert not torch.allclose(reset["method"]["flat"], whole["method"]["flat"], rtol=1e-6)


def test_finetuning_a_hypernetwork_gives_the_same_weights_with_both_engines() -> None:
    weights = []
    for engine in ("plain", "fast"):
        method, training = {"name": "finetune", "network": "hypernet"}, {"iterations": 10, "engine": engine}
        run = TrialRun(tiny(method=method, training=training), seed=0, dtype=torch.float64)
        for _ in range(2):
            checkpoint = run.train_task().checkpoint
        weights.append(checkpoint["method"]["theta"])
    for ours, theirs in zip(*weights, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-8, atol=1e-10)
