"""Gradients of convolutional targets for stacked seeds: each with its own weights, statistics and dropout."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from hnet_core.engines.kernels.target_gradient import target_gradient
from hnet_core.methods import Problem
from hnet_core.registry import TARGETS
from hnet_core.streams import StreamShape
from hnet_core.trial import TrainingOptions

SEEDS = (3, 5)


def problems(name: str, **options: Any) -> list[Problem]:
    shape = StreamShape(2, (16, 16), 3)
    kind = TARGETS[name]
    target = kind(kind.Options(name=name, **options), shape.input_shape, shape.n_outputs)
    device = torch.device("cpu")
    return [Problem(shape, target, None, TrainingOptions(), seed, device, torch.float64) for seed in SEEDS]


@pytest.mark.parametrize(
    ("name", "options", "recordable"),
    [("resnet20", {"normalization": "task"}, True), ("zenkenet", {}, False)],
    ids=["running statistics", "dropout"],
)
def test_every_seed_has_the_gradient_it_has_alone(name: str, options: dict[str, Any], recordable: bool) -> None:
    torch.set_num_threads(1)  # more of them wait for each other on a busy machine
    stacked, alone = problems(name, **options), problems(name, **options)
    draws = torch.Generator().manual_seed(0)
    weights = torch.stack([problem.target.initialize(draws, torch.float64) for problem in stacked])
    inputs = torch.rand(2, 4, 256, generator=draws, dtype=torch.float64)
    labels = torch.randint(3, (2, 4), generator=draws)
    gradient = torch.zeros_like(weights)
    together = target_gradient(stacked, weights, gradient)
    together.start_task(1)
    for _ in range(2):
        together.fill(inputs, labels)
    for seed, problem in enumerate(alone):
        expected = torch.zeros_like(weights[seed])
        separate = target_gradient([problem], weights[seed], expected)
        separate.start_task(1)
        for _ in range(2):
            separate.fill(inputs[seed], labels[seed])
        torch.testing.assert_close(gradient[seed], expected, rtol=1e-10, atol=1e-12)
        torch.testing.assert_close(stacked[seed].statistics.state(), problem.statistics.state())
    assert together.recordable == recordable, "dropout is drawn by the host in each pass"
