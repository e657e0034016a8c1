"""The batches of joint training, task by task and in random order."""

from __future__ import annotations

from collections import Counter

import pytest
import torch

from hnet_core.optimization.task_batches import FETCHED_TOGETHER
from hnet_core.training import TrialRun
from tests.hnet_core.tiny import tiny


def test_joint_training_mixes_all_batches_of_every_task_within_each_epoch() -> None:
    config = tiny(method={"name": "joint"}, training={"iterations": None, "epochs": 2, "batch_size": 50})
    run = TrialRun(config, 0)
    order = [task for task, _, _ in run._batches.of_all_tasks()]
    per_epoch = [steps // 2 for steps in run.steps_per_task]
    for half in (order[: len(order) // 2], order[len(order) // 2 :]):
        assert Counter(half) == dict(enumerate(per_epoch))
    assert order[: len(order) // 2] != sorted(order[: len(order) // 2])


def test_batches_of_a_task_are_the_same_fetched_one_by_one_and_several_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = TrialRun(tiny(training={"iterations": None, "epochs": 2, "batch_size": 50}), 0)
    train = run._stream.tasks[1].train
    alone = list(run._batches.of_task(1, train))
    monkeypatch.setitem(FETCHED_TOGETHER, "cpu", 3)
    together = list(run._batches.of_task(1, train))
    assert len(alone) == len(together) == run.steps_per_task[1]
    for one, other in zip(alone, together, strict=True):
        assert one[0] == other[0] == 1 and torch.equal(one[1], other[1]) and torch.equal(one[2], other[2])
