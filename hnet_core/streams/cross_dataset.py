"""A few classes of one data set, then of another, to measure the transfer of features."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from hnet_core.data import joint_checksum, open_images
from hnet_core.errors import ConfigInvalid
from hnet_core.options import ADDED_LATER
from hnet_core.streams.image_options import Validation, image_facts, preprocessing_for, splits
from hnet_core.streams.image_sizes import of_classes, resized
from hnet_core.streams.orders import ClassOrderSeed, is_of_run, order_seed
from hnet_core.streams.preprocessing import AugmentationName, NormalizationName
from hnet_core.streams.split import class_order, classes_as_task
from hnet_core.streams.stream import Stream, StreamShape, Task
from hnet_core.trial import ComponentOptions

CHANNELS = 3


class CrossDataset:
    """Two tasks of equally many random classes of two data sets, all images at one size with three channels.

    "Partial hypernetworks for continual learning" (CoLLAs 2023), sec. 4.1 and Fig. 4: blocks learnt on the first data
    set are frozen (`freeze_depth`), and the accuracy on the second measures how well they transfer.
    """

    name = "cross_dataset"
    summary = "some classes of one data set, then of another (transfer of frozen blocks)"
    tiny: ClassVar[dict[str, Any]] = {"classes_per_task": 3, "image_size": 8}

    class Options(ComponentOptions):
        first: str = Field("cifar10", description="data set of the first task")
        second: str = Field("cifar100", description="data set of the second task")
        classes_per_task: int = Field(5, ge=2, description="drawn from each data set")
        class_order_seed: ClassOrderSeed | None = Field(
            0, description="draws the classes, run: by the seed of the run; null: the first ones of each"
        )
        second_classes: Annotated[Literal["same", "next"], ADDED_LATER] = Field(
            "same",
            description="places in the order of the classes that the second task takes: those of the first task, or "
            "the next ones, which are other classes where both data sets are one",
        )
        image_size: int = Field(32, ge=8, description="pixels of a side the images are scaled to")
        validation: float | None = Validation
        augmentation: AugmentationName = Field("none", description="of training images")
        normalization: NormalizationName = Field("cifar100", description="channel means and deviations to normalise by")

    @staticmethod
    def shape(options: Options, root: Path) -> StreamShape:
        for key, dataset in (("first", options.first), ("second", options.second)):
            input_shape, n_classes = image_facts(dataset, root)
            needed = options.classes_per_task * (2 if key == "second" and options.second_classes == "next" else 1)
            if n_classes < needed or len(input_shape) not in (2, 3):
                raise ConfigInvalid(
                    f"stream cross_dataset needs images of {needed} classes, {dataset} has "
                    f"{n_classes} classes of shape {input_shape}.",
                    key=f"stream.{key}",
                )
        return StreamShape(2, (options.image_size, options.image_size, CHANNELS), options.classes_per_task)

    @staticmethod
    def varies_with_seed(options: Options) -> bool:
        return is_of_run(options.class_order_seed)

    @staticmethod
    def open(options: Options, root: Path, seed: int = 0) -> Stream:
        shape = CrossDataset.shape(options, root)
        preprocessing = preprocessing_for(options.augmentation, options.normalization, shape.input_shape)
        names = options.first, options.second
        opened = [open_images(name, root, options.validation) for name in names]
        tasks: list[Task] = []
        for name, original in zip(names, opened, strict=True):
            order = class_order(original.n_classes, order_seed(options.class_order_seed, seed))
            follows = bool(tasks) and options.second_classes == "next"
            classes = order.split(options.classes_per_task)[1 if follows else 0]
            images = resized(of_classes(original, classes), options.image_size, CHANNELS)
            tasks.append(classes_as_task(splits(images, preprocessing), classes, name))
        return Stream(shape, tuple(tasks), joint_checksum(opened))
