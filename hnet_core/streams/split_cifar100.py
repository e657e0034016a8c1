"""Split CIFAR-100 as Hemati et al. (2023) have it."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from hnet_core.streams.preprocessing import AugmentationName, NormalizationName
from hnet_core.streams.split import SplitStream


class SplitCifar100(SplitStream):
    """20 tasks of 5 classes (or 10 of 10), random crops and flips, channels normalised, shuffled classes.

    The stream `split` with the settings of the official code of "Partial hypernetworks for continual learning"
    (CoLLAs 2023). Differs: that code shuffles the classes by the seed of the run, here the order is fixed.
    """

    name = "split_cifar100"
    summary = "CIFAR-100 in 20 tasks of 5 classes (or 10 of 10), augmented and normalised"
    tiny: ClassVar[dict[str, Any]] = {"n_tasks": 2, "classes_per_task": 2}

    class Options(SplitStream.Options):
        dataset: str = Field("cifar100", description="CIFAR-100, or a stand-in of 3 channels and enough classes")
        n_tasks: int = Field(20, ge=1, description="tasks in the stream")
        augmentation: AugmentationName = Field("crop_flip", description="of training images")
        normalization: NormalizationName = Field("cifar100", description="channel means and deviations to normalise by")
        class_order_seed: int | None = Field(0, ge=0, description="shuffles the classes; left out with null")
