"""On a GPU: recorded and stacked steps equal those of the CPU. Skipped without a GPU."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from hnet_core.stacked import StackedRuns
from hnet_core.training import TrialRun
from hnet_core.trial import TaskReport
from tests.hnet_core.engines.test_fast_step import CHANGES, configured, deviation

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
SEEDS = (0, 1)


def weights(report: TaskReport) -> list[torch.Tensor]:
    state: dict[str, Any] = report.checkpoint["method"]
    return [*state["theta"], *state["embeddings"]]


@pytest.mark.parametrize("changes", CHANGES.values(), ids=CHANGES)
def test_stacked_and_recorded_seeds_equal_those_of_the_cpu(changes: dict[str, Any]) -> None:
    training = changes.get("training", {})
    config = configured("fast", {**changes, "training": {**training, "device": "cuda", "iterations": 8}})
    on_cpu = config.model_copy(update={"training": config.training.model_copy(update={"device": "cpu"})})
    stacked = StackedRuns(config, SEEDS, dtype=torch.float64)
    alone = [TrialRun(on_cpu, seed, dtype=torch.float64) for seed in SEEDS]
    for _ in range(3):
        for ours, theirs in zip(stacked.train_task(), [run.train_task() for run in alone], strict=True):
            assert deviation(weights(ours), weights(theirs)) < 1e-6


def test_no_step_waits_for_the_gpu() -> None:
    run = TrialRun(configured("fast", {"training": {"device": "cuda"}}), seed=0)
    run.train_task()
    steps = run.steps()
    for _ in range(6):  # the recording itself may wait
        next(steps)
    torch.cuda.set_sync_debug_mode("error")
    try:
        for _ in steps:
            pass
    finally:
        torch.cuda.set_sync_debug_mode("default")
