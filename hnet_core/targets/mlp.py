"""A fully connected target network of any widths."""

from __future__ import annotations

import itertools
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from pydantic import Field, PositiveInt
from torch import Tensor

from hnet_core.activations import ACTIVATIONS, ActivationName
from hnet_core.initialization import InitializationName, linear_layer
from hnet_core.options import ADDED_LATER
from hnet_core.targets.blocks import BlockNetwork
from hnet_core.targets.layers import Activation, Dropout, Layer, Linear, dropped_out
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


class Mlp:
    """Linear layers with biases; weights in the order W1, b1, W2, b2, ... Every hidden layer is a block.

    Attributes:
        drops_out: True if training leaves out values at random.
    """

    name = "mlp"
    summary = "fully connected network, any widths"
    tiny: ClassVar[dict[str, Any]] = {"hidden": [6, 5]}

    class Options(ComponentOptions):
        hidden: tuple[PositiveInt, ...] = Field((400, 400), description="widths of the hidden layers")
        activation: ActivationName = Field("relu", description="of the hidden layers")
        initialization: InitializationName = Field("xavier", description="if the target network has weights of its own")
        dropout_input: float = Field(
            0.0, ge=0, lt=1, description="inputs left out in training", json_schema_extra=ADDED_LATER
        )
        dropout_hidden: float = Field(
            0.0,
            ge=0,
            lt=1,
            description="values left out in training after each hidden layer",
            json_schema_extra=ADDED_LATER,
        )

    def __init__(self, options: Options, input_shape: tuple[int, ...], n_outputs: int) -> None:
        self.input_shape = input_shape
        self.widths = (numel(input_shape), *options.hidden, n_outputs)
        self.shapes: tuple[tuple[int, ...], ...] = tuple(
            shape for n_in, n_out in itertools.pairwise(self.widths) for shape in ((n_out, n_in), (n_out,))
        )
        self.kinds: tuple[Kind, ...] = ("weight", "bias") * (len(self.widths) - 1)
        self.n_weights = sum(map(numel, self.shapes))
        self.n_blocks = len(options.hidden)
        self.normalization: Normalization = "batch"  # there is nothing to normalise
        self._options = options
        self.activation = ACTIVATIONS[options.activation]
        self._initialization = options.initialization
        self.drops_out = options.dropout_input > 0 or options.dropout_hidden > 0

    @property
    def output_shape(self) -> tuple[int, ...]:
        return self.widths[-1:]

    def initialize(self, generator: torch.Generator, dtype: torch.dtype) -> Tensor:
        layers = [
            linear_layer(n_out, n_in, self._initialization, generator, dtype)
            for n_in, n_out in itertools.pairwise(self.widths)
        ]
        return torch.cat([part.flatten() for layer in layers for part in layer])

    def initial_statistics(self, dtype: torch.dtype) -> Tensor:
        return torch.zeros(0, dtype=dtype)

    def forward(self, inputs: Tensor, weights: Tensor, mode: ForwardMode = EVALUATION) -> Tensor:
        tensors = cut(weights, self.shapes)
        hidden = dropped_out(inputs, self._options.dropout_input, mode)
        for weight, bias in zip(tensors[:-2:2], tensors[1:-2:2], strict=True):
            hidden = self.activation(F.linear(hidden, weight, bias))
            hidden = dropped_out(hidden, self._options.dropout_hidden, mode)
        return F.linear(hidden, tensors[-2], tensors[-1])

    def part(self, first: int, last: int | None = None, normalization: Normalization | None = None) -> Target:
        if not 0 <= first <= (self.n_blocks if last is None else last) <= self.n_blocks:
            raise ValueError(f"blocks must be within 0 to {self.n_blocks}, got {first} to {last}.")
        options = self._options if first == 0 else self._options.model_copy(update={"dropout_input": 0.0})
        if last is None:
            options = options.model_copy(update={"hidden": options.hidden[first:]})
            return Mlp(options, (self.widths[first],), self.widths[-1])
        widths = itertools.pairwise(self.widths[first : last + 1])
        dropout: list[Layer] = [Dropout(options.dropout_hidden)] if options.dropout_hidden else []
        blocks: list[list[Layer]] = [
            [Linear(n_in, n_out), Activation(self.activation), *dropout] for n_in, n_out in widths
        ]
        if blocks and options.dropout_input:
            blocks[0].insert(0, Dropout(options.dropout_input))
        return BlockNetwork(blocks, (self.widths[first],), "batch", self._initialization, classifies=False)

    def weights_of_outputs(self, outputs: slice) -> Tensor:
        n_in, n_out = self.widths[-2:]
        return positions_of_outputs(self.n_weights, n_in, n_out, outputs)

    def multiply_adds(self, n_inputs: int) -> int:
        return n_inputs * sum(n_in * n_out for n_in, n_out in itertools.pairwise(self.widths))
