"""The number of steps of a task, and the examples of each of its batches."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import torch
from torch import Tensor

from hnet_core.errors import ConfigInvalid
from hnet_core.streams.stream import mini_batches
from hnet_core.trial import TrainingOptions


def n_steps(training: TrainingOptions, n_examples: int) -> int:
    """Return the gradient steps of a task with so many training examples.

    Raises:
        ConfigInvalid: an epoch has no batch.
    """
    if training.iterations is not None:
        return training.iterations
    if training.epochs is None:
        raise ValueError("epochs must be given where iterations are not.")
    return training.epochs * steps_per_epoch(training, n_examples)


def steps_per_epoch(training: TrainingOptions, n_examples: int) -> int:
    """Return ceil(n / batch_size), or floor where the last batch is left out.

    Raises:
        ConfigInvalid: that is 0.
    """
    full, rest = divmod(n_examples, training.batch_size)
    steps = full + (rest > 0 and not training.drop_last)
    if not steps:
        raise ConfigInvalid(
            f"training.batch_size must be at most the {n_examples} training examples of a task where drop_last is "
            f"true, got {training.batch_size}; lower it or remove drop_last.",
            key="training.batch_size",
        )
    return steps


def batches(
    training: TrainingOptions, n_examples: int, draws: torch.Generator, device: torch.device
) -> Iterator[Tensor]:
    """Iterate over the indices of the examples of each step, (batch_size,) or fewer at the end of an epoch."""
    if training.iterations is not None and training.drop_last is None:
        indices = mini_batches(n_examples, training.batch_size, training.iterations, draws).to(device)
        return (indices[step] for step in range(len(indices)))
    return itertools.islice(_epochs(training, n_examples, draws, device), n_steps(training, n_examples))


def _epochs(
    training: TrainingOptions, n_examples: int, draws: torch.Generator, device: torch.device
) -> Iterator[Tensor]:
    steps = steps_per_epoch(training, n_examples)
    while True:
        shuffled = torch.randperm(n_examples, generator=draws).to(device)
        yield from shuffled.split(training.batch_size)[:steps]
