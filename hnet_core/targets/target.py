"""What a target network is: a list of weight shapes and a function of inputs and weights."""

from __future__ import annotations

from typing import ClassVar, Protocol

import torch
from torch import Tensor

from hnet_core.trial import ComponentOptions


class Target(Protocol):
    """A network without weights of its own.

    Attributes:
        shapes: of its weight tensors, in the order in which a flat vector is cut.
        n_weights: length of that vector, D.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    Options: ClassVar[type[ComponentOptions]]
    shapes: tuple[tuple[int, ...], ...]
    n_weights: int

    def __init__(self, options: ComponentOptions, input_shape: tuple[int, ...], n_outputs: int) -> None: ...

    def initialize(self, generator: torch.Generator, dtype: torch.dtype) -> Tensor:
        """Initial weights as one flat vector, (n_weights,)."""

    def forward(self, inputs: Tensor, weights: Tensor) -> Tensor:
        """Outputs (n, n_outputs) for inputs (n, n_inputs) under the flat weights (n_weights,)."""

    def weights_of_outputs(self, outputs: slice) -> Tensor:
        """Positions in the flat vector of the last-layer weights that feed these output neurons only, int64."""

    def multiply_adds(self, n_inputs: int) -> int:
        """Multiply-adds of one forward pass over `n_inputs` inputs."""


def numel(shape: tuple[int, ...]) -> int:
    return int(torch.Size(shape).numel())


def cut(flat: Tensor, shapes: tuple[tuple[int, ...], ...]) -> list[Tensor]:
    """Views of a flat vector as tensors of the given shapes; surplus values at its tail are left out."""
    sizes = [numel(shape) for shape in shapes]
    parts = flat[: sum(sizes)].split(sizes)
    return [part.view(shape) for part, shape in zip(parts, shapes, strict=True)]
