"""The protocol of a target network: a list of weight shapes and a function of inputs and weights."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol

import torch
from torch import Tensor

from hnet_core.trial import ComponentOptions

Kind = Literal["weight", "bias", "scale", "shift"]
Normalization = Literal["task", "running", "batch", "instance"]


@dataclass(frozen=True)
class ForwardMode:
    """State of batch normalisation and dropout in one forward pass.

    Attributes:
        training: dropout is on; running statistics are updated where the normalisation keeps any.
        normalization: the kind of the normalisation layers, see hnet_core.targets.normalization.
        statistics: running means and variances of one task, (n_statistics,), updated in place in training; None for
            the statistics of the batch.
        noise: draws uniform numbers in [0, 1) of a shape, for dropout; None for no dropout.
    """

    training: bool = False
    normalization: Normalization = "batch"
    statistics: Tensor | None = None
    noise: Callable[[tuple[int, ...]], Tensor] | None = None


EVALUATION = ForwardMode()


class Target(Protocol):
    """A network without weights of its own.

    Attributes:
        input_shape: of one input.
        shapes: of its weight tensors, in their order in a flat vector; those of a block are consecutive.
        kinds: kind of each tensor: weight of a linear or convolutional layer, bias, scale or shift of a normalisation.
        n_weights: length of that vector, D.
        n_blocks: blocks before the last layer; `part` cuts between them.
        normalization: the kind of the normalisation layers.
    """

    input_shape: tuple[int, ...]
    shapes: tuple[tuple[int, ...], ...]
    kinds: tuple[Kind, ...]
    n_weights: int
    n_blocks: int
    normalization: Normalization

    def initialize(self, generator: torch.Generator, dtype: torch.dtype) -> Tensor:
        """Draw initial weights as one flat vector, (n_weights,)."""

    def forward(self, inputs: Tensor, weights: Tensor, mode: ForwardMode = EVALUATION) -> Tensor:
        """Return outputs (n, n_outputs) for inputs (n, n_inputs) under the flat weights (n_weights,)."""

    def initial_statistics(self, dtype: torch.dtype) -> Tensor:
        """Return running means (0) and variances (1) of the normalisation layers, (n_statistics,); empty for none."""

    def part(self, first: int, last: int | None = None, normalization: Normalization | None = None) -> Target:
        """Return the blocks from `first` to `last` (not included; None: all, with the last layer) as a network.

        Its weights are consecutive ones of the entire network. `part(0, k)` gives features, the inputs of `part(k)`.

        Raises:
            ValueError: no such blocks.
        """

    @property
    def output_shape(self) -> tuple[int, ...]:
        """The shape of the output for one input."""

    def weights_of_outputs(self, outputs: slice) -> Tensor:
        """Return the positions in the flat vector of the last-layer weights of these output neurons only, int64."""

    def multiply_adds(self, n_inputs: int) -> int:
        """Count the multiply-adds of one forward pass over `n_inputs` inputs."""


class NamedTarget(Target, Protocol):
    """A target network that a configuration can name.

    Attributes:
        tiny: options of a small network, for the contract test; {} if the default options make one.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    Options: ClassVar[type[ComponentOptions]]
    tiny: ClassVar[dict[str, Any]]

    def __init__(self, options: ComponentOptions, input_shape: tuple[int, ...], n_outputs: int) -> None: ...


def numel(shape: tuple[int, ...]) -> int:
    return math.prod(shape)  # torch's own count overflows where a network is too large for any memory


def cut(flat: Tensor, shapes: tuple[tuple[int, ...], ...]) -> list[Tensor]:
    """Cut a flat vector into views of the given shapes; surplus values at its end are left out.

    The views of several vectors (S, n) have that leading dimension too.
    """
    sizes = [numel(shape) for shape in shapes]
    parts = flat[..., : sum(sizes)].split(sizes, dim=-1)
    return [part.view(*flat.shape[:-1], *shape) for part, shape in zip(parts, shapes, strict=True)]


def positions_of_outputs(n_weights: int, n_in: int, n_out: int, outputs: slice) -> Tensor:
    """Return the positions of weights and biases of some outputs of a linear layer at the end of the vector."""
    start_of_bias = n_weights - n_out
    start_of_weight = start_of_bias - n_out * n_in
    return torch.cat(
        [
            torch.arange(start_of_weight + outputs.start * n_in, start_of_weight + outputs.stop * n_in),
            torch.arange(start_of_bias + outputs.start, start_of_bias + outputs.stop),
        ]
    )
