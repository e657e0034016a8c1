"""Hidden layers of the hypernetworks."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from hnet_core.initialization import linear_layer


def hidden_shapes(widths: Sequence[int]) -> list[tuple[int, ...]]:
    """Return the shapes W1, b1, W2, b2, ... of layers from widths[0] inputs to widths[-1] outputs."""
    return [shape for n_in, n_out in itertools.pairwise(widths) for shape in ((n_out, n_in), (n_out,))]


def hidden_weights(widths: Sequence[int], scheme: str, generator: torch.Generator, dtype: torch.dtype) -> list[Tensor]:
    """Draw the initial weights of those layers."""
    return [
        part
        for n_in, n_out in itertools.pairwise(widths)
        for part in linear_layer(n_out, n_in, scheme, generator, dtype)
    ]


def hidden_forward(inputs: Tensor, weights: Sequence[Tensor], activation: Callable[[Tensor], Tensor]) -> Tensor:
    """Return the activations of the last hidden layer, (n, widths[-1]), for inputs (n, widths[0])."""
    for weight, bias in zip(weights[::2], weights[1::2], strict=True):
        inputs = activation(F.linear(inputs, weight, bias))
    return inputs
