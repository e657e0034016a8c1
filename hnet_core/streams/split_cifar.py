"""Split CIFAR as von Oswald et al. (2020) have it: CIFAR-10, then the first classes of CIFAR-100."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import torch
from pydantic import Field

from hnet_core.data import joint_checksum, open_images
from hnet_core.errors import ConfigInvalid
from hnet_core.streams.image_options import Validation, image_facts, preprocessing_for, splits
from hnet_core.streams.preprocessing import AugmentationName, NormalizationName
from hnet_core.streams.split import classes_as_task
from hnet_core.streams.stream import Stream, StreamShape
from hnet_core.trial import ComponentOptions

CLASSES_PER_TASK = 10


class SplitCifar:
    """Task 1 is all of CIFAR-10, tasks 2 to 6 are classes 0-9, 10-19, ... of CIFAR-100.

    "Continual learning with hypernetworks" (ICLR 2020), sec. 4, from Zenke et al. (2017). Random crops and flips, and
    ImageNet's channel means, are the official code's; for its ZenkeNet run it takes neither.
    """

    name = "split_cifar"
    summary = "CIFAR-10, then five tasks of 10 classes of CIFAR-100 (von Oswald et al. 2020)"
    tiny: ClassVar[dict[str, Any]] = {"n_tasks": 2}

    class Options(ComponentOptions):
        first: str = Field("cifar10", description="data set of the first task, all its 10 classes")
        others: str = Field("cifar100", description="data set of the other tasks, 10 classes each")
        n_tasks: int = Field(6, ge=2, description="tasks in the stream")
        validation: float | None = Validation
        augmentation: AugmentationName = Field("crop_flip", description="of training images; none for ZenkeNet")
        normalization: NormalizationName = Field(
            "imagenet", description="channel means and deviations to normalise by; none for ZenkeNet"
        )

    @staticmethod
    def shape(options: Options, root: Path) -> StreamShape:
        first, n_first = image_facts(options.first, root)
        others, n_others = image_facts(options.others, root)
        needed = CLASSES_PER_TASK * (options.n_tasks - 1)
        if n_first != CLASSES_PER_TASK or n_others < needed or first != others:
            raise ConfigInvalid(
                f"stream split_cifar needs {CLASSES_PER_TASK} classes, then {needed} with images of the same shape; "
                f"{options.first} has {n_first} of {first}, {options.others} has {n_others} of {others}.",
                key="stream.first",
            )
        return StreamShape(options.n_tasks, first, CLASSES_PER_TASK)

    @staticmethod
    def open(options: Options, root: Path) -> Stream:
        shape = SplitCifar.shape(options, root)
        preprocessing = preprocessing_for(options.augmentation, options.normalization, shape.input_shape)
        first, others = (open_images(name, root, options.validation) for name in (options.first, options.others))
        tasks = [classes_as_task(splits(first, preprocessing), torch.arange(CLASSES_PER_TASK), options.first)]
        whole = splits(others, preprocessing)
        groups = torch.arange(CLASSES_PER_TASK * (shape.n_tasks - 1)).split(CLASSES_PER_TASK)
        tasks += [
            classes_as_task(whole, group, f"{options.others}: classes {int(group[0])} and on") for group in groups
        ]
        return Stream(shape, tuple(tasks), joint_checksum([first, others]))
