"""The channel-wise hypernetwork: convolutions are generated one output channel at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from pydantic import Field, PositiveInt
from torch import Tensor

from hnet_core.activations import ACTIVATIONS
from hnet_core.hypernets.hidden_layers import hidden_forward, hidden_shapes, hidden_weights
from hnet_core.hypernets.hypernet import EMBEDDING_SIZES, HypernetOptions
from hnet_core.initialization import InitializationName, linear_layer, normal
from hnet_core.targets.target import Kind, numel


@dataclass(frozen=True)
class GeneratedTensor:
    """The weights of one target tensor for some tasks, as a sum: entry [j, o, i] is of_task[j, i] + of_channel[o, i].

    Attributes:
        of_task: (n_tasks, n).
        of_channel: (n_channels, n), the same for every task; None for one channel of zeros.
    """

    of_task: Tensor
    of_channel: Tensor | None

    def weights(self) -> Tensor:
        """Return the sum, (n_tasks, n_channels * n)."""
        if self.of_channel is None:
            return self.of_task
        return (self.of_task.unsqueeze(1) + self.of_channel).flatten(1)

    def detached(self) -> GeneratedTensor:
        return GeneratedTensor(self.of_task.detach(), None if self.of_channel is None else self.of_channel.detach())

    def squared_distance(self, before: GeneratedTensor, tasks: Tensor) -> Tensor:
        """Sum the squared difference to `before` over these tasks and all weights, without forming them.

        With p_j the difference of `of_task` and q_o that of `of_channel`, sum_jo |p_j + q_o|^2 =
        n_channels sum_j |p_j|^2 + 2 (sum_j p_j) (sum_o q_o) + n_tasks sum_o |q_o|^2: no product of tasks and channels.

        Args:
            before: of all previous tasks; `self` has those of `tasks` only, in their order.
        """
        p = self.of_task - before.of_task[tasks]
        if self.of_channel is None or before.of_channel is None:
            return p.square().sum()
        q = self.of_channel - before.of_channel
        return len(q) * p.square().sum() + 2 * p.sum(dim=0) @ q.sum(dim=0) + len(p) * q.square().sum()


class ChannelwiseHypernet:
    """An MLP on the task embedding, and a linear head for every weight tensor of the target network.

    Hemati et al., "Partial hypernetworks for continual learning" (CoLLAs 2023), App. A, as their code has it:
    the head of a convolution (n_out, n_in, k, k) reads [x; v_o], x being the last hidden layer and v_o a learnt vector
    of output channel o, and gives the n_in k k weights of that channel. The head of a linear layer reads x and gives
    all its weights. Biases, scales and shifts are not generated: every task has its own. They are the end of the task
    embedding, which therefore is longer than `task_embedding`.

    theta: hidden layers W1, b1, ...; for a convolution channel vectors (n_out, d), weight (n_in k k, h + d), bias; for
    a linear layer weight (n_out n_in, h), bias.

    Differs: the paper speaks of input channels; its code, and the weight counts of its tables, of output channels.
    """

    name = "channelwise"
    summary = "convolutions channel by channel, own biases and scales for every task (Hemati et al. 2023)"

    class Options(HypernetOptions):
        hidden: tuple[PositiveInt, ...] = Field((50, 32), description="widths of the hidden layers, may be empty")
        task_embedding: int = Field(
            32,
            ge=1,
            description="length of a task embedding, own biases and scales not counted",
            json_schema_extra=EMBEDDING_SIZES,
        )
        channel_embedding: int = Field(
            32,
            ge=1,
            description="length d of the vector of an output channel",
            json_schema_extra={"search": {"choice": [4, 8, 16, 32, 64]}},
        )
        initialization: InitializationName = Field("kaiming", description="kaiming is PyTorch's default")

    def __init__(
        self, options: Options, target_shapes: tuple[tuple[int, ...], ...], kinds: tuple[Kind, ...] = ()
    ) -> None:
        if len(kinds) != len(target_shapes):
            raise ValueError(f"kinds must name the kind of {len(target_shapes)} tensors, got {len(kinds)}.")
        self.widths = (options.task_embedding, *options.hidden)
        self.activation = ACTIVATIONS[options.activation]
        self.n_outputs = sum(map(numel, target_shapes))
        self.channel_embedding = options.channel_embedding
        self._tensors = list(zip(kinds, target_shapes, strict=True))
        self._own = [(kind, numel(shape)) for kind, shape in self._tensors if kind != "weight"]
        self.n_read = options.task_embedding
        self.embedding_size = self.n_read + sum(size for _, size in self._own)
        heads = [part for kind, shape in self._tensors if kind == "weight" for part in self._head_shapes(shape)]
        self.shapes: tuple[tuple[int, ...], ...] = (*hidden_shapes(self.widths), *heads)
        self.n_weights = sum(map(numel, self.shapes))
        self._initialization = options.initialization

    def _head_shapes(self, shape: tuple[int, ...]) -> list[tuple[int, ...]]:
        h, d = self.widths[-1], self.channel_embedding
        if len(shape) == 4:
            per_channel = numel(shape[1:])
            return [(shape[0], d), (per_channel, h + d), (per_channel,)]
        return [(numel(shape), h), (numel(shape),)]

    def initialize(self, generator: torch.Generator, dtype: torch.dtype) -> list[Tensor]:
        theta = hidden_weights(self.widths, self._initialization, generator, dtype)
        for kind, shape in self._tensors:
            if kind == "weight":
                *channels, (n_out, n_in), _ = self._head_shapes(shape)
                theta += [normal(of_channels, generator, dtype) for of_channels in channels]
                theta += linear_layer(n_out, n_in, self._initialization, generator, dtype)
        return theta

    def initial_embedding(self, generator: torch.Generator, dtype: torch.dtype) -> Tensor:
        own = [torch.full((size,), float(kind == "scale"), dtype=dtype) for kind, size in self._own]
        return torch.cat([normal(self.widths[:1], generator, dtype), *own])

    def generate(self, theta: Sequence[Tensor], embeddings: Tensor) -> Tensor:
        return torch.cat([part.weights() for part in self.generate_parts(theta, embeddings)], dim=1)

    def generate_parts(self, theta: Sequence[Tensor], embeddings: Tensor) -> list[GeneratedTensor]:
        """Generate the weights as one entry per target tensor, in their order."""
        n_hidden, te, h = 2 * (len(self.widths) - 1), self.n_read, self.widths[-1]
        x = hidden_forward(embeddings[:, :te], theta[:n_hidden], self.activation)  # (n_tasks, h)
        own = iter(embeddings[:, te:].split([size for _, size in self._own], dim=1))
        heads = iter(theta[n_hidden:])
        parts = []
        for kind, shape in self._tensors:
            if kind != "weight":
                parts.append(GeneratedTensor(next(own), None))
            elif len(shape) == 4:
                channels, weight, bias = next(heads), next(heads), next(heads)
                parts.append(GeneratedTensor(F.linear(x, weight[:, :h], bias), F.linear(channels, weight[:, h:])))
            else:
                parts.append(GeneratedTensor(F.linear(x, next(heads), next(heads)), None))
        return parts

    def multiply_adds(self) -> int:
        h, d = self.widths[-1], self.channel_embedding
        hidden = sum(a * b for a, b in zip(self.widths[:-1], self.widths[1:], strict=True))
        weights = [shape for kind, shape in self._tensors if kind == "weight"]
        heads = (numel(shape[1:]) * (h + shape[0] * d) if len(shape) == 4 else numel(shape) * h for shape in weights)
        return hidden + sum(heads)
