"""Options and checks shared by the streams that are cut from an image data set."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import Field
from torch import Tensor

from hnet_core.data import Images, open_images
from hnet_core.errors import ConfigInvalid
from hnet_core.registry import DATASETS
from hnet_core.streams.preprocessing import CHANNELS, AugmentationName, NormalizationName, Preprocessing
from hnet_core.streams.stream import Split, Task
from hnet_core.trial import ComponentOptions

Validation: Any = Field(
    None,
    ge=0,
    le=0.5,
    description="share of the training images held out for selection; left out: 0.1 (digits: a fixed 20 %)",
)


class ImageStreamOptions(ComponentOptions):
    """A stream over the images of one data set."""

    dataset: str = Field(description="a known data set, or a folder of the data root with train.npz and test.npz")
    n_tasks: int = Field(ge=1, description="tasks in the stream")
    validation: float | None = Validation


class PreprocessedOptions(ImageStreamOptions):
    """A stream over images that may be augmented and normalised."""

    augmentation: AugmentationName = Field(
        "none", description="of training images: flip, or crop_flip (a random crop of 4 padded pixels as well)"
    )
    normalization: NormalizationName = Field(
        "none", description="channel means and deviations to normalise by; none leaves pixels in [0, 1]"
    )


def image_facts(dataset: str, root: Path) -> tuple[tuple[int, ...], int]:
    """Return shape of one image and number of classes, without loading the images of a known data set."""
    if dataset in DATASETS:
        return DATASETS[dataset].input_shape, DATASETS[dataset].n_classes
    images = open_images(dataset, root, validation=None)
    return tuple(images.train.shape[1:]), images.n_classes


def splits(images: Images, preprocessing: Preprocessing | None = None) -> Task:
    """Return the entire data set as one task with flattened images."""

    def split(pixels: Tensor, labels: Tensor) -> Split:
        return Split(pixels.flatten(1), labels, images.scale, preprocessing=preprocessing)

    validation = None
    if images.validation is not None and images.validation_labels is not None:
        validation = split(images.validation, images.validation_labels)
    return Task(split(images.train, images.train_labels), validation, split(images.test, images.test_labels))


def preprocessing_for(
    augmentation: AugmentationName, normalization: NormalizationName, input_shape: tuple[int, ...]
) -> Preprocessing | None:
    """Return the preprocessing of these options, None for none.

    Raises:
        ConfigInvalid: the means and deviations have another number of channels than the images.
    """
    if augmentation == normalization == "none":
        return None
    height, width, channels = (*input_shape, 1)[:3]
    needed = channels if normalization == "none" else len(CHANNELS[normalization][0])
    if needed != channels:
        raise ConfigInvalid(
            f"normalization {normalization} takes images with {needed} channels, got {channels}; use none.",
            key="stream.normalization",
        )
    return Preprocessing((height, width, channels), augmentation, normalization)
