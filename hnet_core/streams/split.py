"""Split streams: the classes of a data set assigned to the tasks in order, such as split MNIST (0/1, 2/3, ...)."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, ClassVar

import torch
from pydantic import AfterValidator, Field
from torch import Tensor

from hnet_core.data import Images, open_images
from hnet_core.errors import ConfigInvalid, DatasetCorrupt
from hnet_core.options import ADDED_LATER
from hnet_core.seeding import generator
from hnet_core.streams.image_options import PreprocessedOptions, image_facts, preprocessing_for, splits
from hnet_core.streams.orders import ClassOrderSeed, is_of_run, order_seed
from hnet_core.streams.stream import Split, Stream, StreamShape, Task

CLASS_ORDER = (
    "draws an order of the classes: a number for all seeds of a trial alike, run: the seed of the run, run_except_0: "
    "likewise, but file order in the run of seed 0; null: always file order"
)


CLASSES_PER_TASK = (
    "a number, or a list with one for each task: the first classes only; left out: all classes, n_tasks must divide "
    "their number"
)


def _positive(setting: int | tuple[int, ...]) -> int | tuple[int, ...]:
    for number in setting if isinstance(setting, tuple) else (setting,):
        if number < 1:
            raise ValueError(f"must be at least 1, got {number}")
    if setting == ():
        raise ValueError("must name at least one task, got []")
    return setting


ClassesPerTask = Annotated[int | tuple[int, ...], AfterValidator(_positive)]


class SplitStream:
    """Task t holds the t-th group of classes, relabelled from zero (Zenke et al. 2017, split MNIST)."""

    name = "split"
    summary = "classes assigned to the tasks in order (split MNIST: 5 tasks of 2 digits)"
    tiny: ClassVar[dict[str, Any]] = {"dataset": "digits", "n_tasks": 2}

    class Options(PreprocessedOptions):
        classes_per_task: ClassesPerTask | None = Field(None, description=CLASSES_PER_TASK)
        class_order_seed: ClassOrderSeed | None = Field(None, description=CLASS_ORDER)
        head_width: int | None = Field(
            None,
            ge=1,
            description="outputs of a task's head; left out: as many as the widest task has classes",
            json_schema_extra=ADDED_LATER,
        )

    @classmethod
    def shape(cls, options: Options, root: Path) -> StreamShape:
        input_shape, n_classes = image_facts(options.dataset, root)
        preprocessing_for(options.augmentation, options.normalization, input_shape)
        per_task = _classes_per_task(options, n_classes)
        if sum(per_task) > n_classes:
            of_classes = per_task[0] if len(set(per_task)) == 1 else ", ".join(map(str, per_task))
            raise ConfigInvalid(
                f"{options.n_tasks} tasks of {of_classes} classes need {sum(per_task)} classes, "
                f"{options.dataset} has {n_classes}; lower n_tasks or classes_per_task.",
                key="stream.classes_per_task",
            )
        width = options.head_width or max(per_task)
        if width < max(per_task):
            raise ConfigInvalid(
                f"stream.head_width must be at least the {max(per_task)} classes of the widest task, got {width}.",
                key="stream.head_width",
            )
        return StreamShape(options.n_tasks, input_shape, width, classes=() if set(per_task) == {width} else per_task)

    @staticmethod
    def varies_with_seed(options: Options) -> bool:
        return is_of_run(options.class_order_seed)

    @classmethod
    def open(cls, options: Options, root: Path, seed: int = 0) -> Stream:
        images = open_images(options.dataset, root, options.validation)
        return split_images(options, cls.shape(options, root), images, seed)


def split_images(options: SplitStream.Options, shape: StreamShape, images: Images, seed: int) -> Stream:
    """Assign the classes of a data set in memory to the tasks of the run with this seed."""
    whole = splits(images, preprocessing_for(options.augmentation, options.normalization, shape.input_shape))
    order = class_order(images.n_classes, order_seed(options.class_order_seed, seed))
    ends = [shape.n_classes(task) for task in range(shape.n_tasks + 1)]
    tasks = [
        classes_as_task(whole, order[start:end], f"{options.dataset}: task {task + 1} of {shape.n_tasks}")
        for task, (start, end) in enumerate(itertools.pairwise(ends))
    ]
    return Stream(shape, tuple(tasks), images.checksum)


def class_order(n_classes: int, seed: int | None) -> Tensor:
    """Return the classes in file order, or in an order drawn from the seed, (n_classes,)."""
    return torch.arange(n_classes) if seed is None else torch.randperm(n_classes, generator=generator(seed, "classes"))


def classes_as_task(whole: Task, classes: Tensor, name: str) -> Task:
    """Select the examples of some classes, relabelled from zero in their order.

    Raises:
        DatasetCorrupt: a split has no image of them.
    """
    task = Task(
        train=_examples(whole.train, classes),
        validation=whole.validation and _examples(whole.validation, classes),
        test=_examples(whole.test, classes),
    )
    for part, split in (("training", task.train), ("validation", task.validation), ("test", task.test)):
        if split is not None and len(split) == 0:
            raise DatasetCorrupt(f"{name} has no {part} images.")
    return task


def _examples(split: Split, classes: Tensor) -> Split:
    new_labels = torch.full((max(int(split.labels.max()), int(classes.max())) + 1,), -1)
    new_labels[classes] = torch.arange(len(classes))
    labels = new_labels[split.labels]
    members = labels >= 0
    return replace(split, inputs=split.inputs[members], labels=labels[members])


def _classes_per_task(options: SplitStream.Options, n_classes: int) -> tuple[int, ...]:
    """Return the number of classes of every task, (n_tasks,)."""
    if isinstance(options.classes_per_task, tuple):
        if len(options.classes_per_task) != options.n_tasks:
            raise ConfigInvalid(
                f"classes_per_task must be one number, or one for each of {options.n_tasks} tasks, "
                f"got {len(options.classes_per_task)} of them.",
                key="stream.classes_per_task",
            )
        return options.classes_per_task
    if options.classes_per_task is not None:
        return (options.classes_per_task,) * options.n_tasks
    if n_classes % options.n_tasks:
        divisors = [str(n) for n in range(1, n_classes + 1) if n_classes % n == 0]
        raise ConfigInvalid(
            f"n_tasks must divide the {n_classes} classes of {options.dataset}, got {options.n_tasks}; "
            f"use one of {', '.join(divisors)}, or give classes_per_task.",
            key="stream.n_tasks",
        )
    return (n_classes // options.n_tasks,) * options.n_tasks
