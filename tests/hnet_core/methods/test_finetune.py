"""Fine-tuning of one network with batch normalisation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from hnet_core.build import learning_problem, method_shape, networks, open_stream
from hnet_core.config_validation import parse_trial
from hnet_core.errors import UnsupportedTrial
from hnet_core.registry import METHODS, STREAMS
from hnet_core.targets.target import ForwardMode
from hnet_core.training import run_trial


def of_images(method: str, **target: Any) -> Any:
    return parse_trial(
        {
            "stream": {"name": "split_cifar100", **STREAMS["split_cifar100"].tiny},
            "method": {"name": method},
            "target": {"name": "slim_resnet18", "n_filters": 2, **target},
            "training": {"iterations": 3, "batch_size": 8, "lr": 0.05},
        }
    )


def test_old_tasks_are_evaluated_with_the_statistics_of_the_present_weights(stand_ins: Path) -> None:
    config = of_images("finetune")
    stream = open_stream(config, stand_ins)
    shape = method_shape(config, stream.shape)
    problem = learning_problem(config, shape, networks(config, shape), 0, torch.device("cpu"))
    method = METHODS["finetune"](config.method, problem)
    for task in range(2):
        method.start_task(task)
        for start in range(0, 24, 8):
            method.step(task, *stream.tasks[task].train.batch(slice(start, start + 8), torch.float32))
    inputs, _ = stream.tasks[0].test.batch(slice(0, 8), torch.float32)
    present = problem.statistics.state()[-1]
    with torch.no_grad():
        outputs = problem.target.forward(inputs, method.source.flat, ForwardMode(False, "running", present))
        assert torch.equal(method.predictor(0)(inputs), outputs[:, shape.head(0)])


@pytest.mark.parametrize("method", ["finetune", "ewc", "latent_replay"])
def test_statistics_per_task_are_refused_where_the_weights_move_on(method: str, stand_ins: Path) -> None:
    with pytest.raises(UnsupportedTrial, match="weights that no longer exist"):
        run_trial(of_images(method, normalization="task"), 0, stand_ins)
