"""A small problem in float64 for the tests of generators."""

from __future__ import annotations

from typing import Any

import torch

from hnet_core.problem import Problem
from hnet_core.streams import StreamShape
from hnet_core.targets.mlp import Mlp
from hnet_core.trial import TrainingOptions

HYPERNET = {"name": "chunked", "hidden": (5,), "task_embedding": 4, "chunk_embedding": 3, "chunk_size": 60}
SMALL: dict[str, Any] = {"decoder": (6, 5), "latent": 3, "condition_size": 4, "hypernet": HYPERNET}


def small_problem(engine: str = "plain", n_inputs: int = 9, **training: Any) -> Problem:
    shape = StreamShape(4, (n_inputs,), 2)
    target = Mlp(Mlp.Options(name="mlp", hidden=(7,)), shape.input_shape, shape.n_outputs)
    options = TrainingOptions(iterations=3, batch_size=5, **{"lr": 0.01, "engine": engine, **training})
    return Problem(shape, target, None, options, 0, torch.device("cpu"), torch.float64)


def pixels(n: int, seed: int = 0, n_inputs: int = 9) -> torch.Tensor:
    return torch.rand(n, n_inputs, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
