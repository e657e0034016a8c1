"""Accuracy of the weights generated from a grid of task embeddings: von Oswald et al. (2020), Fig. 4."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from hnet_core.errors import ConfigInvalid
from hnet_core.evaluation.evaluator import EVALUATION_BATCH, sum_of_measure
from hnet_core.streams import Split
from hnet_core.trained_model import TrainedModel

MARGIN = 0.4


@dataclass(frozen=True)
class EmbeddingMap:
    """The measure on one task, over a grid of embeddings and at the trained ones.

    Attributes:
        task: from 0.
        on_grid: [i, j] is the measure at (first[j], second[i]) of the grid, (n, n).
        at_trained: at the trained embedding of each task, (n_tasks,).
        n_examples: test examples behind each number.
    """

    task: int
    on_grid: Tensor
    at_trained: Tensor
    n_examples: int


def embedding_grid(embeddings: Tensor, n: int) -> tuple[Tensor, Tensor]:
    """Return the two axes of a square grid around all trained embeddings, each (n,).

    Args:
        embeddings: (n_tasks, 2).
        n: points per axis.

    Raises:
        ConfigInvalid: if the embeddings are not two-dimensional.
    """
    if embeddings.shape[1] != 2:
        raise ConfigInvalid(
            f"a map needs embeddings of two numbers, got {embeddings.shape[1]}; "
            "train a configuration with hypernet.task_embedding: 2."
        )
    low, high = embeddings.amin(dim=0), embeddings.amax(dim=0)
    half = max(float((high - low).max()) * (0.5 + MARGIN), 1.0)
    first, second = (torch.linspace(float(c) - half, float(c) + half, n) for c in (low + high) / 2)
    return first, second


def embedding_map(
    model: TrainedModel,
    task: int,
    examples: Split,
    grid: tuple[Tensor, Tensor],
    max_examples: int | None = None,
    on_row: Callable[[int], None] | None = None,
) -> EmbeddingMap:
    """Measure a task under the weights of every embedding of a grid, and of every trained one.

    Args:
        examples: of the task, such as its test split.
        grid: from `embedding_grid`.
        max_examples: number of examples to use, evenly spaced; left out: all.
        on_row: called with the number of finished rows.
    """
    torch.set_num_threads(model.config.training.threads)  # as in training: more of them wait for each other
    n = len(examples) if max_examples is None else min(max_examples, len(examples))
    inputs, labels = examples.batch(torch.arange(n) * len(examples) // n, torch.float32)
    first, second = grid
    on_grid = torch.empty(len(second), len(first))
    for i, y in enumerate(second):
        for j, x in enumerate(first):
            on_grid[i, j] = _measure(model, task, inputs, labels, torch.stack([x, y]))
        if on_row is not None:
            on_row(i + 1)
    at_trained = torch.tensor([_measure(model, task, inputs, labels, trained) for trained in model.embeddings()])
    return EmbeddingMap(task, on_grid, at_trained, n)


def _measure(model: TrainedModel, task: int, inputs: Tensor, labels: Tensor, embedding: Tensor) -> float:
    batches = zip(inputs.split(EVALUATION_BATCH), labels.split(EVALUATION_BATCH), strict=True)
    total = sum(float(sum_of_measure(model.predict(task, given, embedding), wanted)) for given, wanted in batches)
    return total / len(inputs)
