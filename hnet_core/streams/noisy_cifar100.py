"""The noisy stream of Hemati et al. (2023), sec. 4.2: every task has another corruption of its images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import torch
from pydantic import Field
from torch import Tensor

from hnet_core.errors import ConfigInvalid
from hnet_core.streams.orders import ClassOrderSeed
from hnet_core.streams.preprocessing import AugmentationName, NormalizationName
from hnet_core.streams.split import CLASS_ORDER, CLASSES_PER_TASK, ClassesPerTask, SplitStream
from hnet_core.streams.stream import Split, Stream, StreamShape, Task

BLOCK = 4096


class NoisyCifar100:
    """Four tasks of 5 of 20 shuffled classes: clean; solarised; blurred; more contrast, grey and blurred.

    "Partial hypernetworks for continual learning" (CoLLAs 2023), training and test images alike; `noisy: false` gives
    the clean version of the same stream. Differs: the corruption is applied once to the full images, before random
    crops, with one blur of 0.65 in the last task (the code draws 0.6 to 0.7 for every image).
    """

    name = "noisy_cifar100"
    summary = "four tasks of 5 classes of CIFAR-100: clean, solarised, blurred, contrast + grey + blur"
    tiny: ClassVar[dict[str, Any]] = {"n_tasks": 2, "classes_per_task": 2}

    class Options(SplitStream.Options):
        dataset: str = Field("cifar100", description="CIFAR-100, or a stand-in of 3 channels and enough classes")
        n_tasks: int = Field(4, ge=1, le=4, description="tasks in the stream")
        classes_per_task: ClassesPerTask | None = Field(5, description=CLASSES_PER_TASK)
        augmentation: AugmentationName = Field("crop_flip", description="of training images")
        normalization: NormalizationName = Field("cifar100", description="channel means and deviations to normalise by")
        class_order_seed: ClassOrderSeed | None = Field(0, description=CLASS_ORDER)
        noisy: bool = Field(True, description="false: the same stream without corruptions, for comparison")

    @staticmethod
    def shape(options: Options, root: Path) -> StreamShape:
        shape = SplitStream.shape(options, root)
        if len(shape.input_shape) != 3 or shape.input_shape[2] != 3:
            raise ConfigInvalid(
                f"stream {options.name} takes images with 3 channels, got {shape.input_shape} from {options.dataset}.",
                key="stream.dataset",
            )
        return shape

    varies_with_seed = SplitStream.varies_with_seed

    @staticmethod
    def open(options: Options, root: Path, seed: int = 0) -> Stream:
        shape = NoisyCifar100.shape(options, root)
        clean = SplitStream.open(options, root, seed)
        if not options.noisy:
            return clean
        tasks = (
            _corrupted(task, shape.input_shape, noise) for task, noise in zip(clean.tasks, CORRUPTIONS, strict=False)
        )
        return replace(clean, tasks=tuple(tasks))


def _corrupted(task: Task, image_shape: tuple[int, ...], corruption: Callable[[Tensor], Tensor] | None) -> Task:
    if corruption is None:
        return task

    def convert(split: Split) -> Split:
        images = split.inputs.view(-1, *image_shape).permute(0, 3, 1, 2)
        blocks = [corruption(block.float() / split.scale) for block in images.split(BLOCK)]
        pixels = (torch.cat(blocks) * split.scale).round().clamp(0, split.scale).to(split.inputs.dtype)
        return replace(split, inputs=pixels.permute(0, 2, 3, 1).flatten(1))

    return Task(convert(task.train), task.validation and convert(task.validation), convert(task.test))


def _solarized(images: Tensor) -> Tensor:
    """Invert every pixel value from 0.5 on."""
    from torchvision.transforms.v2 import functional

    solarized: Tensor = functional.solarize(images, 0.5)
    return solarized


def _blurred(images: Tensor, sigma: float = 0.9) -> Tensor:
    """Blur with a Gaussian of 5 x 5 pixels."""
    from torchvision.transforms.v2 import functional

    blurred: Tensor = functional.gaussian_blur(images, [5, 5], [sigma, sigma])
    return blurred


def _grey_with_contrast(images: Tensor) -> Tensor:
    """Stretch each channel to the full range, convert to grey, blur."""
    from torchvision.transforms.v2 import functional

    return _blurred(functional.rgb_to_grayscale(functional.autocontrast(images), num_output_channels=3), 0.65)


CORRUPTIONS: tuple[Callable[[Tensor], Tensor] | None, ...] = (None, _solarized, _blurred, _grey_with_contrast)
