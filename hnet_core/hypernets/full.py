"""The full hypernetwork: one output for each target weight."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from hnet_core.activations import ACTIVATIONS
from hnet_core.hypernets.hidden_layers import hidden_forward, hidden_shapes, hidden_weights
from hnet_core.hypernets.hypernet import HypernetOptions
from hnet_core.initialization import linear_layer, normal
from hnet_core.targets.target import Kind, numel


class FullHypernet:
    """An MLP on the task embedding with one linear output per target weight.

    Used by von Oswald et al. (2020) for the 1-D regression, and by HyperMask for its mask logits. The output layer is
    one matrix, initialised tensor by tensor of the target: their code has one linear head per target tensor.
    theta: hidden layers W1, b1, ...; output layer (n_outputs, h), (n_outputs,).
    """

    name = "full"
    summary = "one output per target weight"

    class Options(HypernetOptions):
        pass

    def __init__(
        self, options: Options, target_shapes: tuple[tuple[int, ...], ...], kinds: tuple[Kind, ...] = ()
    ) -> None:
        self.embedding_size = self.n_read = options.task_embedding
        self.head_sizes = [numel(shape) for shape in target_shapes]
        self.n_outputs = sum(self.head_sizes)
        self.widths = (options.task_embedding, *options.hidden)
        self.activation = ACTIVATIONS[options.activation]
        self.shapes: tuple[tuple[int, ...], ...] = (
            *hidden_shapes(self.widths),
            (self.n_outputs, self.widths[-1]),
            (self.n_outputs,),
        )
        self.n_weights = sum(map(numel, self.shapes))
        self._initialization = options.initialization

    def initialize(self, generator: torch.Generator, dtype: torch.dtype) -> list[Tensor]:
        hidden = hidden_weights(self.widths, self._initialization, generator, dtype)
        heads = [
            linear_layer(size, self.widths[-1], self._initialization, generator, dtype) for size in self.head_sizes
        ]
        return [*hidden, *(torch.cat(parts) for parts in zip(*heads, strict=True))]

    def initial_embedding(self, generator: torch.Generator, dtype: torch.dtype) -> Tensor:
        return normal((self.embedding_size,), generator, dtype)

    def generate(self, theta: Sequence[Tensor], embeddings: Tensor) -> Tensor:
        *hidden, weight, bias = theta
        return F.linear(hidden_forward(embeddings, hidden, self.activation), weight, bias)

    def multiply_adds(self) -> int:
        return sum(n_in * n_out for n_in, n_out in itertools.pairwise((*self.widths, self.n_outputs)))
