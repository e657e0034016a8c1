"""Image data sets by name, with a held-out validation split."""

from __future__ import annotations

import functools
from pathlib import Path

import torch
from torch import Tensor

from hnet_core.data.images import Images
from hnet_core.data.npz import load_pair
from hnet_core.errors import ConfigInvalid, DatasetMissing
from hnet_core.registry import DATASETS, did_you_mean


def open_images(name: str, root: Path, validation: float | None) -> Images:
    """Load a data set by name and hold out its validation split.

    Args:
        name: a known data set, or a folder below `root` with train.npz and test.npz.
        validation: share of the training images held out for selection, in [0, 0.5]; 0 keeps them all for training;
            None takes the default of the data set: its own fixed split, or 0.1.

    Raises:
        DatasetMissing: no such data set exists, or it could not be downloaded.
        DatasetCorrupt: a file exists but has the wrong format or content.
    """
    return _hold_out(_load(name, str(root)), validation)


@functools.lru_cache(maxsize=4)
def _load(name: str, root: str) -> Images:
    if name in DATASETS:
        images: Images = DATASETS[name].load(Path(root))
        return images
    folder = Path(root) / name
    if not folder.is_dir():
        raise DatasetMissing(
            f"unknown dataset {name!r}{did_you_mean(name, DATASETS)}; "
            f"your own goes into {folder} as train.npz and test.npz (arrays images, labels)."
        )
    return load_pair(name, folder)


@functools.lru_cache(maxsize=4)
def _hold_out(images: Images, fraction: float | None) -> Images:
    if images.validation is not None and images.validation_labels is not None:
        if fraction is None:
            return images
        if fraction > 0:
            raise ConfigInvalid(
                f"validation must be left out or 0 for {images.name}, which fixes its own split, got {fraction}.",
                key="stream.validation",
            )
        return Images(
            images.name,
            torch.cat([images.train, images.validation]),
            torch.cat([images.train_labels, images.validation_labels]),
            images.test,
            images.test_labels,
            images.scale,
        )
    held = _last_of_each_class(images.train_labels, 0.1 if fraction is None else fraction)
    if not held.any():
        return images
    return Images(
        images.name,
        images.train[~held],
        images.train_labels[~held],
        images.test,
        images.test_labels,
        images.scale,
        images.train[held],
        images.train_labels[held],
    )


def _last_of_each_class(labels: Tensor, fraction: float) -> Tensor:
    """Mark the last `fraction` of the images of every class, in file order: stratified, the same for every seed."""
    held = torch.zeros(len(labels), dtype=torch.bool)
    for label in labels.unique():
        members = (labels == label).nonzero().squeeze(1)
        held[members[len(members) - round(fraction * len(members)) :]] = True
    return held
