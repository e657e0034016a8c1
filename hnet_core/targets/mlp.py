"""A fully connected target network of any widths."""

from __future__ import annotations

import itertools

import torch
import torch.nn.functional as F
from pydantic import Field, PositiveInt
from torch import Tensor

from hnet_core.activations import ACTIVATIONS, ActivationName
from hnet_core.initialization import InitializationName, linear_layer
from hnet_core.targets.target import cut, numel
from hnet_core.trial import ComponentOptions


class Mlp:
    """Linear layers with biases; weights in the order W1, b1, W2, b2, ..."""

    name = "mlp"
    summary = "fully connected network, any widths"

    class Options(ComponentOptions):
        hidden: tuple[PositiveInt, ...] = Field((400, 400), description="widths of the hidden layers")
        activation: ActivationName = "relu"
        initialization: InitializationName = Field("xavier", description="where it has weights of its own")

    def __init__(self, options: Options, input_shape: tuple[int, ...], n_outputs: int) -> None:
        self.widths = (numel(input_shape), *options.hidden, n_outputs)
        self.shapes: tuple[tuple[int, ...], ...] = tuple(
            shape for n_in, n_out in itertools.pairwise(self.widths) for shape in ((n_out, n_in), (n_out,))
        )
        self.n_weights = sum(map(numel, self.shapes))
        self.activation = ACTIVATIONS[options.activation]
        self._initialization = options.initialization

    def initialize(self, generator: torch.Generator, dtype: torch.dtype) -> Tensor:
        layers = [
            linear_layer(n_out, n_in, self._initialization, generator, dtype)
            for n_in, n_out in itertools.pairwise(self.widths)
        ]
        return torch.cat([part.flatten() for layer in layers for part in layer])

    def forward(self, inputs: Tensor, weights: Tensor) -> Tensor:
        tensors = cut(weights, self.shapes)
        hidden = inputs
        for weight, bias in zip(tensors[:-2:2], tensors[1:-2:2], strict=True):
            hidden = self.activation(F.linear(hidden, weight, bias))
        return F.linear(hidden, tensors[-2], tensors[-1])

    def weights_of_outputs(self, outputs: slice) -> Tensor:
        n_in, n_out = self.widths[-2:]
        start_of_bias = self.n_weights - n_out
        start_of_weight = start_of_bias - n_out * n_in
        rows = torch.arange(self.n_weights)
        return torch.cat(
            [
                rows[start_of_weight + outputs.start * n_in : start_of_weight + outputs.stop * n_in],
                rows[start_of_bias + outputs.start : start_of_bias + outputs.stop],
            ]
        )

    def multiply_adds(self, n_inputs: int) -> int:
        return n_inputs * sum(n_in * n_out for n_in, n_out in itertools.pairwise(self.widths))
