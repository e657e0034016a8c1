"""Split TinyImageNet as Hemati et al. (2023) have it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from hnet_core.data import open_images
from hnet_core.streams.image_sizes import resized
from hnet_core.streams.orders import ClassOrderSeed
from hnet_core.streams.preprocessing import AugmentationName, NormalizationName
from hnet_core.streams.split import CLASS_ORDER, SplitStream, split_images
from hnet_core.streams.stream import Stream, StreamShape


class SplitTinyImagenet(SplitStream):
    """20 tasks of 10 classes of TinyImageNet, scaled down to 32 pixels, flipped at random, channels normalised.

    The test images are the official validation images. The official code of Hemati et al. (2023) subtracts the channel
    means of CIFAR-10, as here.
    """

    name = "split_tiny_imagenet"
    summary = "TinyImageNet at 32 pixels in 20 tasks of 10 classes"
    tiny: ClassVar[dict[str, Any]] = {"n_tasks": 2, "classes_per_task": 2, "image_size": 16}

    class Options(SplitStream.Options):
        dataset: str = Field(
            "tiny_imagenet", description="TinyImageNet, or a stand-in of 3 channels and enough classes"
        )
        n_tasks: int = Field(20, ge=1, description="tasks in the stream")
        augmentation: AugmentationName = Field("flip", description="of training images")
        normalization: NormalizationName = Field("cifar10", description="channel means and deviations to normalise by")
        class_order_seed: ClassOrderSeed | None = Field(0, description=CLASS_ORDER)
        image_size: int = Field(32, ge=8, description="pixels of a side the images are scaled to")

    @classmethod
    def shape(cls, options: Options, root: Path) -> StreamShape:  # type: ignore[override]
        shape = super().shape(options, root)
        return replace(shape, input_shape=(options.image_size, options.image_size, *shape.input_shape[2:]))

    @classmethod
    def open(cls, options: Options, root: Path, seed: int = 0) -> Stream:  # type: ignore[override]
        images = open_images(options.dataset, root, options.validation)
        return split_images(options, cls.shape(options, root), resized(images, options.image_size), seed)
