"""Streams, their tasks and splits, and their shape, which is known without the data."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Protocol, runtime_checkable

import torch
from torch import Tensor

from hnet_core.streams.preprocessing import Preprocessing
from hnet_core.trial import ComponentOptions, Measure


@dataclass(frozen=True)
class StreamShape:
    """Tasks, inputs and heads of a stream, as the networks need them; known without loading images.

    Attributes:
        n_tasks: tasks in the stream.
        input_shape: of one input, such as (28, 28) or (32, 32, 3); its product is the width of an MLP's first layer.
        outputs_per_task: width of a head: classes of one task (of the widest, if they differ) or more, or targets of a
            regression.
        shared_head: True if all tasks use the same outputs (a regression, or a method with a single head),
            False where each task has its own.
        measure: accuracy, or mse for a regression.
        classes: of each task, where a head has outputs without a class; () where each output is a class.
    """

    n_tasks: int
    input_shape: tuple[int, ...]
    outputs_per_task: int
    shared_head: bool = False
    measure: Measure = "accuracy"
    classes: tuple[int, ...] = ()

    @property
    def n_inputs(self) -> int:
        return math.prod(self.input_shape)

    @property
    def n_outputs(self) -> int:
        """Output neurons of a network with known task identity (CL1: a head per task)."""
        return self.outputs_per_task * (1 if self.shared_head else self.n_tasks)

    def n_classes(self, n_tasks: int) -> int:
        """Return the number of classes in the first `n_tasks` tasks."""
        return sum(self.classes[:n_tasks]) if self.classes else n_tasks * self.outputs_per_task

    def head(self, task: int) -> slice:
        """Return the output neurons of one task."""
        start = 0 if self.shared_head else task * self.outputs_per_task
        return slice(start, start + self.outputs_per_task)


@dataclass(frozen=True)
class Split:
    """Examples of one task, converted to float batch by batch.

    Attributes:
        inputs: uint8 pixels or float values, (n_examples, n_inputs).
        labels: class within the task, int64 (n_examples,), or float targets (n_examples, n_targets).
        scale: pixel value that becomes 1.0.
        order: permutation of the inputs, (n_inputs,), None for none.
        preprocessing: augmentation and normalisation of images, None for neither.
    """

    inputs: Tensor
    labels: Tensor
    scale: float = 1.0
    order: Tensor | None = None
    preprocessing: Preprocessing | None = None

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def augments(self) -> bool:
        """True if an example changes from pass to pass in training."""
        return self.preprocessing is not None and self.preprocessing.augmentation != "none"

    def batch(
        self, index: Tensor | slice, dtype: torch.dtype, draws: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return inputs (n, n_inputs) in `dtype` and labels of the examples at `index`; augmented if given `draws`."""
        if isinstance(index, slice):
            inputs, labels = self.inputs[index], self.labels[index]
        else:
            inputs, labels = self.inputs.index_select(0, index), self.labels.index_select(0, index)
        if self.order is not None:
            inputs = inputs.gather(1, self.order.expand(len(inputs), -1))
        if labels.is_floating_point():
            labels = labels.to(dtype)
        if self.preprocessing is not None and draws is not None:
            inputs = self.preprocessing.augmented(inputs, draws)
        inputs = inputs.to(dtype)
        inputs = inputs / self.scale if isinstance(index, slice) else inputs.div_(self.scale)
        return (inputs if self.preprocessing is None else self.preprocessing.normalized(inputs)), labels

    def to(self, device: torch.device) -> Split:
        order = None if self.order is None else self.order.to(device)
        return replace(self, inputs=self.inputs.to(device), labels=self.labels.to(device), order=order)


@dataclass(frozen=True)
class Task:
    """One task of a stream; validation is None if nothing is held out."""

    train: Split
    validation: Split | None
    test: Split

    def to(self, device: torch.device) -> Task:
        validation = None if self.validation is None else self.validation.to(device)
        return Task(self.train.to(device), validation, self.test.to(device))


@dataclass(frozen=True)
class Stream:
    """All tasks of a stream with the checksum of the data they were cut from."""

    shape: StreamShape
    tasks: tuple[Task, ...]
    checksum: str

    def to(self, device: torch.device) -> Stream:
        return replace(self, tasks=tuple(task.to(device) for task in self.tasks))


class NamedStream(Protocol):
    """A stream that a configuration can name: a class in a file of `hnet_core/streams`, or behind an entry point.

    Attributes:
        tiny: options of a small stream, for the contract test: few tasks and classes of the data sets it has (digits,
            or npz files in the shapes of CIFAR-10, CIFAR-100 and TinyImageNet); {} if the default options make one.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    Options: ClassVar[type[ComponentOptions]]
    tiny: ClassVar[dict[str, Any]]

    @staticmethod
    def shape(options: Any, root: Path) -> StreamShape:
        """Return tasks, inputs and heads without loading the images of a known data set.

        Raises:
            ConfigInvalid: the options do not fit the data set or each other.
        """

    @staticmethod
    def open(options: Any, root: Path) -> Stream:
        """Load the data below `root` and cut it into tasks, the same for every seed (see VariesWithSeed).

        Raises:
            DatasetMissing, DatasetCorrupt: the data cannot be read.
        """


@runtime_checkable
class VariesWithSeed(Protocol):
    """A NamedStream that can differ from run to run, such as in the order of its classes."""

    @staticmethod
    def varies_with_seed(options: Any) -> bool:
        """Return whether its tasks depend on the seed of the run under these options; their shape never does."""

    @staticmethod
    def open(options: Any, root: Path, seed: int = 0) -> Stream:
        """Load the data and cut it into the tasks of the run with this seed."""


def mini_batches(n_examples: int, batch_size: int, iterations: int, generator: torch.Generator) -> Tensor:
    """Draw the examples of each batch, (iterations, batch_size): shuffled epochs, with batches across their ends.

    As in the official code of von Oswald et al. (2020): all batches are full, every example is used once per epoch.
    """
    needed = batch_size * iterations
    passes = [torch.randperm(n_examples, generator=generator) for _ in range(-(-needed // n_examples))]
    return torch.cat(passes)[:needed].view(iterations, batch_size)
