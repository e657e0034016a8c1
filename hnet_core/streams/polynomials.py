"""Three one-dimensional regressions on neighbouring intervals, the toy problem of von Oswald et al. (2020), Fig. 2."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import torch
from pydantic import Field
from torch import Tensor

from hnet_core.seeding import generator
from hnet_core.streams.stream import Split, Stream, StreamShape, Task
from hnet_core.trial import ComponentOptions

# Function, interval (App. C of the paper).
POLYNOMIALS: tuple[tuple[Callable[[Tensor], Tensor], tuple[float, float]], ...] = (
    (lambda x: x + 3, (-4.0, -2.0)),
    (lambda x: 2 * x**2 - 1, (-1.0, 1.0)),
    (lambda x: (x - 3) ** 3, (2.0, 4.0)),
)


class PolynomialStream:
    """y = g_t(x) + noise on 100 uniform points; the test split is the noiseless function on an even grid."""

    name = "polynomials"
    summary = "three 1-D regressions, the toy problem of von Oswald et al. 2020 (Fig. 2)"
    tiny: ClassVar[dict[str, Any]] = {}

    class Options(ComponentOptions):
        n_train: int = Field(100, ge=1, description="noisy points per function")
        noise: float = Field(0.05, ge=0, description="standard deviation of the noise")
        data_seed: int = Field(42, ge=0, description="the points depend on this and nothing else")

    @staticmethod
    def shape(options: Options, root: Path) -> StreamShape:
        return StreamShape(len(POLYNOMIALS), (1,), outputs_per_task=1, shared_head=True, measure="mse")

    @staticmethod
    def open(options: Options, root: Path) -> Stream:
        tasks = tuple(_task(options, index) for index in range(len(POLYNOMIALS)))
        digest = hashlib.sha256(b"".join(task.train.labels.numpy().tobytes() for task in tasks)).hexdigest()
        return Stream(PolynomialStream.shape(options, root), tasks, digest[:16])


def _task(options: PolynomialStream.Options, index: int) -> Task:
    function, (low, high) = POLYNOMIALS[index]
    draws = generator(options.data_seed, "polynomials", index)

    def noisy() -> Split:
        x = low + (high - low) * torch.rand(options.n_train, 1, generator=draws, dtype=torch.float64)
        noise = options.noise * torch.randn(options.n_train, 1, generator=draws, dtype=torch.float64)
        return Split(x, function(x) + noise)

    train, validation = noisy(), noisy()
    grid = torch.linspace(low, high, 200, dtype=torch.float64).unsqueeze(1)
    return Task(train, validation, Split(grid, function(grid)))
