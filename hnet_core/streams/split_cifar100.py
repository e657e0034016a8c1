"""Split CIFAR-100 as Hemati et al. (2023) have it."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from hnet_core.streams.orders import ClassOrderSeed
from hnet_core.streams.preprocessing import AugmentationName, NormalizationName
from hnet_core.streams.split import CLASS_ORDER, SplitStream


class SplitCifar100(SplitStream):
    """20 tasks of 5 classes (or 10 of 10), random crops and flips, channels normalised, shuffled classes.

    The stream `split` with the settings of the official code of "Partial hypernetworks for continual learning"
    (CoLLAs 2023). That code shuffles the classes by the seed of the run: `class_order_seed: run`. The default is one
    order for all runs.
    """

    name = "split_cifar100"
    summary = "CIFAR-100 in 20 tasks of 5 classes (or 10 of 10), augmented and normalised"
    tiny: ClassVar[dict[str, Any]] = {"n_tasks": 2, "classes_per_task": 2}

    class Options(SplitStream.Options):
        dataset: str = Field("cifar100", description="CIFAR-100, or a stand-in of 3 channels and enough classes")
        n_tasks: int = Field(20, ge=1, description="tasks in the stream")
        augmentation: AugmentationName = Field("crop_flip", description="of training images")
        normalization: NormalizationName = Field("cifar100", description="channel means and deviations to normalise by")
        class_order_seed: ClassOrderSeed | None = Field(0, description=CLASS_ORDER)
