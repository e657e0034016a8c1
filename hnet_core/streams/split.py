"""Split streams: the classes of a data set dealt out to the tasks in order, such as split MNIST (0/1, 2/3, ...)."""

from __future__ import annotations

from pathlib import Path

from hnet_core.data import open_images
from hnet_core.errors import ConfigInvalid, DatasetCorrupt
from hnet_core.streams.image_options import ImageStreamOptions, image_facts, splits
from hnet_core.streams.tasks import Split, Stream, StreamShape, Task


class SplitStream:
    """Task t holds the t-th group of consecutive classes, relabelled from zero (Zenke et al. 2017, split MNIST)."""

    name = "split"
    summary = "classes dealt out to the tasks in order (split MNIST: 5 tasks of 2 digits)"

    class Options(ImageStreamOptions):
        pass

    @staticmethod
    def shape(options: Options, root: Path) -> StreamShape:
        input_shape, n_classes = image_facts(options.dataset, root)
        if n_classes % options.n_tasks:
            divisors = [str(n) for n in range(1, n_classes + 1) if n_classes % n == 0]
            raise ConfigInvalid(
                f"n_tasks must divide the {n_classes} classes of {options.dataset}, got {options.n_tasks}; "
                f"use one of {', '.join(divisors)}.",
                key="stream.n_tasks",
            )
        return StreamShape(options.n_tasks, input_shape, n_classes // options.n_tasks)

    @staticmethod
    def open(options: Options, root: Path) -> Stream:
        shape = SplitStream.shape(options, root)
        images = open_images(options.dataset, root, options.validation)
        whole = splits(images)
        tasks = []
        for task in range(shape.n_tasks):
            first = task * shape.outputs_per_task
            cut = Task(
                train=_classes(whole.train, first, shape.outputs_per_task),
                validation=whole.validation and _classes(whole.validation, first, shape.outputs_per_task),
                test=_classes(whole.test, first, shape.outputs_per_task),
            )
            for name, part in (("training", cut.train), ("validation", cut.validation), ("test", cut.test)):
                if part is not None and len(part) == 0:
                    raise DatasetCorrupt(f"{options.dataset}: task {task + 1} of {shape.n_tasks} has no {name} images.")
            tasks.append(cut)
        return Stream(shape, tuple(tasks), images.checksum)


def _classes(split: Split, first: int, n_classes: int) -> Split:
    """The examples of `n_classes` consecutive classes, relabelled from zero."""
    members = (split.labels >= first) & (split.labels < first + n_classes)
    return Split(split.inputs[members], split.labels[members] - first, split.scale)
