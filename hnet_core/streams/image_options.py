"""Options and checks shared by the streams that are cut from an image data set."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from hnet_core.data import Images, open_images
from hnet_core.registry import DATASETS
from hnet_core.streams.tasks import Split, Task
from hnet_core.trial import ComponentOptions


class ImageStreamOptions(ComponentOptions):
    """A stream over the images of one data set."""

    dataset: str = Field(description="a known data set, or a folder of the data root with train.npz and test.npz")
    n_tasks: int = Field(ge=1, description="tasks in the stream")
    validation: float | None = Field(
        None,
        ge=0,
        le=0.5,
        description="share of the training images held out for selection; left out: 0.1 (digits: a fixed 20 %)",
    )


def image_facts(dataset: str, root: Path) -> tuple[tuple[int, ...], int]:
    """Shape of one image and number of classes, without loading the images where the data set is a known one."""
    if dataset in DATASETS:
        return DATASETS[dataset].input_shape, DATASETS[dataset].n_classes
    images = open_images(dataset, root, validation=None)
    return tuple(images.train.shape[1:]), images.n_classes


def splits(images: Images) -> Task:
    """The whole data set as one task with flattened images."""
    validation = None
    if images.validation is not None and images.validation_labels is not None:
        validation = Split(images.validation.flatten(1), images.validation_labels, images.scale)
    return Task(
        train=Split(images.train.flatten(1), images.train_labels, images.scale),
        validation=validation,
        test=Split(images.test.flatten(1), images.test_labels, images.scale),
    )
