"""The batches of every step of a task, or of all tasks together, on the device."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import torch
from torch import Tensor

from hnet_core.optimization.batches import batches
from hnet_core.seeding import generator
from hnet_core.streams import Split, Stream
from hnet_core.trial import TrainingOptions

FETCHED_TOGETHER = {"cpu": 1, "cuda": 32}  # batches: a CPU's cache is small, a GPU's launches cost

Batch = tuple[int, Tensor, Tensor]


class TaskBatches:
    """Draws the batches of a run by seed and task; each is (task, inputs, labels).

    Args:
        steps: gradient steps of each task.
        dtype: of the inputs.
    """

    def __init__(
        self,
        training: TrainingOptions,
        stream: Stream,
        steps: tuple[int, ...],
        seed: int,
        device: torch.device,
        dtype: torch.dtype,
    ) -> None:
        self._training, self._tasks, self._steps = training, stream.tasks, steps
        self._seed, self._device, self._dtype = seed, device, dtype

    def steps_per_unit(self, task: int) -> int:
        """Return the steps of a task in an epoch, or in an iteration where the length is given in iterations."""
        return self._steps[task] // (self._training.epochs or self._steps[task])

    def of_task(self, task: int, train: Split) -> Iterator[Batch]:
        """Iterate over the batches of every step of a task; the draws are on the device before the first of them.

        Args:
            train: the examples to take them from: those of the task, in the form that the method reads them in.
        """
        return self._fetched(task, train, self._indices(task))

    def _fetched(self, task: int, train: Split, indices: Iterator[Tensor]) -> Iterator[Batch]:
        draws = generator(self._seed, "augmentation", task)
        at_once = FETCHED_TOGETHER.get(self._device.type, 1)
        while several := list(itertools.islice(indices, at_once)):
            sizes = [len(index) for index in several]
            inputs, labels = train.batch(torch.cat(several), self._dtype, draws)
            yield from zip(itertools.repeat(task, len(sizes)), inputs.split(sizes), labels.split(sizes), strict=True)

    def of_all_tasks(self) -> Iterator[Batch]:
        """Yield the batches of all tasks in random order: one of each per iteration, all of them once per epoch."""
        draws = generator(self._seed, "augmentation")
        for task, index in self._mixed_indices():
            yield (task, *self._tasks[task].train.batch(index, self._dtype, draws))

    def _mixed_indices(self) -> Iterator[tuple[int, Tensor]]:
        per_task = [self._indices(task) for task in range(len(self._tasks))]
        once = torch.tensor([task for task in range(len(self._tasks)) for _ in range(self.steps_per_unit(task))])
        draws = generator(self._seed, "task order")
        for _ in range(self._training.epochs or self._training.iterations or 0):
            for task in once[torch.randperm(len(once), generator=draws)].tolist():
                yield task, next(per_task[task])

    def _indices(self, task: int) -> Iterator[Tensor]:
        """Iterate over the examples of every step, on the device."""
        draws = generator(self._seed, "batches", task)
        return batches(self._training, len(self._tasks[task].train), draws, self._device)
