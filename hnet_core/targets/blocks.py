"""A target network made of layers, cut into blocks that can be used, and frozen, separately."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor

from hnet_core.errors import ConfigInvalid
from hnet_core.initialization import InitializationName, convolution_bound, uniform
from hnet_core.targets.layers import Chain, Layer, Shape, WeightReader
from hnet_core.targets.target import (
    EVALUATION,
    ForwardMode,
    Kind,
    Normalization,
    Target,
    cut,
    numel,
    positions_of_outputs,
)
from hnet_core.trial import ComponentOptions


class ConvOptions(ComponentOptions):
    """Options of every convolutional target network."""

    normalization: Literal["auto"] | Normalization = Field(
        "auto",
        description="batch normalisation over: task (running statistics of each task), running (one set for all), "
        "batch (in evaluation too), instance (each image); auto: task where the network of a task stays as it was, "
        "else running",
    )
    initialization: InitializationName = Field("kaiming", description="if the target network has weights of its own")


class BlockNetwork:
    """Blocks of layers one after the other, the last of them the classifier; weights in the order of the layers.

    Attributes:
        input_shape: of the inputs of the first block.
        normalizes: the network has normalisation layers; without any, `normalization` changes nothing.
        normalization: of its layers; `auto` is task for a network without a method that decides (TrialConfig).
        dropout_steps: training passes of each task in which dropout acts, None for all.
    """

    tiny: ClassVar[dict[str, Any]] = {}
    normalizes: ClassVar[bool] = True

    def __init__(
        self,
        blocks: Sequence[Sequence[Layer]],
        input_shape: Shape,
        normalization: Literal["auto"] | Normalization,
        initialization: str,
        *,
        classifies: bool = True,
        dropout_steps: int | None = None,
    ) -> None:
        self._blocks = [Chain(block) for block in blocks]
        self._whole = Chain(self._blocks)
        self.input_shape = input_shape
        self.kinds: tuple[Kind, ...] = tuple(kind for kind, _ in self._whole.tensors)
        self.shapes: tuple[Shape, ...] = tuple(shape for _, shape in self._whole.tensors)
        self.n_weights = sum(map(numel, self.shapes))
        self.n_blocks = len(blocks) - classifies
        self.normalization: Normalization = "task" if normalization == "auto" else normalization
        self.dropout_steps = dropout_steps
        self._initialization = initialization

    @property
    def output_shape(self) -> Shape:
        return self._whole.output_shape(self.input_shape)

    def initialize(self, generator: torch.Generator, dtype: torch.dtype) -> Tensor:
        parts, bound = [torch.zeros(0)], 0.0
        for kind, shape in self._whole.tensors:
            if kind == "weight":
                bound = convolution_bound(shape, self._initialization)
                fan_in = numel(shape[1:])
                parts.append(uniform(shape, bound, generator, torch.float32).flatten())
            elif kind == "bias" and self._initialization == "kaiming":
                parts.append(uniform(shape, 1 / math.sqrt(fan_in), generator, torch.float32))
            else:
                parts.append(torch.full(shape, float(kind == "scale")))
        return torch.cat(parts).to(dtype)

    def initial_statistics(self, dtype: torch.dtype) -> Tensor:
        parts = [torch.zeros(0), *(torch.full((n,), value) for n in self._whole.normalized for value in (0.0, 1.0))]
        return torch.cat(parts).to(dtype)

    def forward(self, inputs: Tensor, weights: Tensor, mode: ForwardMode = EVALUATION) -> Tensor:
        return self._whole.forward(inputs, WeightReader(cut(weights, self.shapes), mode.statistics), mode)

    def part(self, first: int, last: int | None = None, normalization: Normalization | None = None) -> Target:
        if not 0 <= first <= (self.n_blocks if last is None else last) <= self.n_blocks:
            raise ValueError(f"blocks must be within 0 to {self.n_blocks}, got {first} to {last}.")
        return BlockNetwork(
            self._blocks_as_layers(first, last),
            Chain(self._blocks[:first]).output_shape(self.input_shape),
            normalization or self.normalization,
            self._initialization,
            classifies=last is None and self.n_blocks < len(self._blocks),
            dropout_steps=self.dropout_steps,
        )

    def _blocks_as_layers(self, first: int, last: int | None) -> list[list[Layer]]:
        return [[block] for block in self._blocks[first:last]]

    def weights_of_outputs(self, outputs: slice) -> Tensor:
        n_out, n_in = self.shapes[-2]
        return positions_of_outputs(self.n_weights, n_in, n_out, outputs)

    def multiply_adds(self, n_inputs: int) -> int:
        return n_inputs * self._whole.multiply_adds(self.input_shape)


def image_sides(name: str, input_shape: Shape) -> tuple[int, int, int]:
    """Return height, width and channels of the images of a stream.

    Raises:
        ConfigInvalid: the inputs are no images.
    """
    if len(input_shape) not in (2, 3):
        raise ConfigInvalid(
            f"target {name} takes images (height, width) or (height, width, channels), got inputs of shape "
            f"{input_shape}; use target mlp.",
            key="target.name",
        )
    height, width, channels = (*input_shape, 1)[:3]
    return height, width, channels


def check_sides(name: str, blocks: Sequence[Sequence[Layer]], input_shape: Shape, smallest: int) -> None:
    """Check that images keep at least `smallest` pixels a side until the classifier.

    Raises:
        ConfigInvalid: the images are too small.
    """
    shape = input_shape
    for layer in itertools.chain(*blocks):
        if len(shape) == 3 and min(shape[1:]) < 1:
            break
        shape = layer.output_shape(shape)
        if len(shape) == 3 and min(shape[1:]) < smallest:
            raise ConfigInvalid(
                f"target {name} cannot take images of {input_shape[0]} x {input_shape[1]} pixels: fewer than "
                f"{smallest} x {smallest} are left before its last layer; use larger images or target mlp.",
                key="target.name",
            )
