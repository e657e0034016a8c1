"""The chunked hypernetwork: one small network generates the target weights chunk by chunk."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor

from hnet_core.activations import ACTIVATIONS
from hnet_core.hypernets.hidden_layers import hidden_forward, hidden_shapes, hidden_weights
from hnet_core.hypernets.hypernet import EMBEDDING_SIZES, HypernetOptions
from hnet_core.initialization import linear_layer, normal
from hnet_core.targets.target import Kind, numel

# The range of a search: from at most 200 chunks to a single one, where the size of the target network is known.
CHUNK_SIZES: dict[str, Any] = {"search": {"int": [100, 50_000], "log": True}, "most_chunks": 200}


class ChunkedHypernet:
    """An MLP on [task embedding, chunk embedding], run once per chunk (von Oswald et al. 2020, sec. 3).

    The outputs of all chunks, one after the other, are the flat target weights; outputs of the last chunk beyond
    n_outputs are cut off. theta: chunk embeddings (n_chunks, ce); hidden layers W1, b1, ...; output layer
    (chunk_size, h), (chunk_size,). Chunk embeddings belong to theta: they are looked ahead and protected with it.
    """

    name = "chunked"
    summary = "one small network generates the target weights chunk by chunk; the compressive one"

    class Options(HypernetOptions):
        chunk_embedding: int = Field(
            96, ge=1, description="length of a chunk embedding", json_schema_extra=EMBEDDING_SIZES
        )
        chunk_size: int = Field(
            42_000,
            ge=1,
            description="target weights generated at a time",
            json_schema_extra=CHUNK_SIZES,
        )

    def __init__(
        self, options: Options, target_shapes: tuple[tuple[int, ...], ...], kinds: tuple[Kind, ...] = ()
    ) -> None:
        self.embedding_size = self.n_read = options.task_embedding
        self.n_outputs = sum(map(numel, target_shapes))
        self.chunk_size = options.chunk_size
        self.n_chunks = -(-self.n_outputs // options.chunk_size)
        self.widths = (options.task_embedding + options.chunk_embedding, *options.hidden)
        self.activation = ACTIVATIONS[options.activation]
        self.shapes: tuple[tuple[int, ...], ...] = (
            (self.n_chunks, options.chunk_embedding),
            *hidden_shapes(self.widths),
            (self.chunk_size, self.widths[-1]),
            (self.chunk_size,),
        )
        self.n_weights = sum(map(numel, self.shapes))
        self._initialization = options.initialization

    def initialize(self, generator: torch.Generator, dtype: torch.dtype) -> list[Tensor]:
        return [
            normal(self.shapes[0], generator, dtype),
            *hidden_weights(self.widths, self._initialization, generator, dtype),
            *linear_layer(self.chunk_size, self.widths[-1], self._initialization, generator, dtype),
        ]

    def initial_embedding(self, generator: torch.Generator, dtype: torch.dtype) -> Tensor:
        return normal((self.embedding_size,), generator, dtype)

    def generate(self, theta: Sequence[Tensor], embeddings: Tensor) -> Tensor:
        chunks, *hidden, weight, bias = theta
        n_tasks = len(embeddings)
        pairs = torch.cat(
            [
                embeddings.unsqueeze(1).expand(-1, self.n_chunks, -1),
                chunks.unsqueeze(0).expand(n_tasks, -1, -1),
            ],
            dim=2,
        )  # (n_tasks, n_chunks, te + ce)
        outputs = F.linear(hidden_forward(pairs, hidden, self.activation), weight, bias)
        return outputs.flatten(1)[:, : self.n_outputs]

    def multiply_adds(self) -> int:
        return self.n_chunks * sum(n_in * n_out for n_in, n_out in itertools.pairwise((*self.widths, self.chunk_size)))


def unused_outputs(hypernet: object) -> str | None:
    """Return in words that the chunks of a hypernetwork are larger than all it generates; None if they are not."""
    if not isinstance(hypernet, ChunkedHypernet) or hypernet.chunk_size <= hypernet.n_outputs:
        return None
    return (
        f"hypernet.chunk_size {hypernet.chunk_size} is more than the {hypernet.n_outputs} weights to generate, and the "
        f"outputs beyond are cut off; take at most {hypernet.n_outputs}"
    )
