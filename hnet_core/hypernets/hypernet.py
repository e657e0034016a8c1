"""The protocol of a hypernetwork: shapes of its weights theta, and a function of theta and task embeddings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Protocol

import torch
from pydantic import Field, PositiveInt
from torch import Tensor

from hnet_core.activations import ActivationName
from hnet_core.initialization import InitializationName
from hnet_core.targets.target import Kind
from hnet_core.trial import ComponentOptions

# Of tasks and of chunks: the grid of von Oswald et al. (2020), App. C.
EMBEDDING_SIZES: dict[str, Any] = {"search": {"choice": [8, 12, 24, 36, 62, 96, 128]}}


class HypernetOptions(ComponentOptions):
    """Options of every hypernetwork."""

    hidden: tuple[PositiveInt, ...] = Field((10, 10), description="widths of the hidden layers, may be empty")
    activation: ActivationName = Field("relu", description="of the hidden layers; the paper says ELU, its code ReLU")
    task_embedding: int = Field(96, ge=1, description="length of a task embedding", json_schema_extra=EMBEDDING_SIZES)
    initialization: InitializationName = Field("xavier", description="kaiming is PyTorch's default")


class Hypernet(Protocol):
    """h(e, theta), von Oswald et al. (2020), eq. 1; theta is passed in, so that a look-ahead can pass another.

    Attributes:
        shapes: of the tensors of theta (chunk embeddings included, task embeddings not).
        n_weights: numbers in theta.
        n_outputs: weights generated for one task, D.
        embedding_size: length of a task embedding.
        n_read: leading numbers of it that the hidden layers read; any others are weights of the task itself.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    Options: ClassVar[type[HypernetOptions]]
    shapes: tuple[tuple[int, ...], ...]
    n_weights: int
    n_outputs: int
    embedding_size: int
    n_read: int

    def __init__(self, options: Any, target_shapes: tuple[tuple[int, ...], ...], kinds: tuple[Kind, ...] = ()) -> None:
        """Set up for a target network with tensors of these shapes and kinds, see Target; kinds may be ignored."""

    def initialize(self, generator: torch.Generator, dtype: torch.dtype) -> list[Tensor]:
        """Draw the initial theta."""

    def initial_embedding(self, generator: torch.Generator, dtype: torch.dtype) -> Tensor:
        """Draw the initial embedding of a task, (embedding_size,)."""

    def generate(self, theta: Sequence[Tensor], embeddings: Tensor) -> Tensor:
        """Return target weights (n_tasks, n_outputs) for task embeddings (n_tasks, embedding_size)."""

    def multiply_adds(self) -> int:
        """Return the multiply-adds of generating the weights of one task."""
