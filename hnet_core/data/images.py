"""What a data set is to the rest of the project, and how one is opened by name."""

from __future__ import annotations

import functools
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from hnet_core.errors import ConfigInvalid, DatasetMissing
from hnet_core.registry import DATASETS, did_you_mean


@dataclass(frozen=True)
class Images:
    """A labelled image data set with its official test split.

    Attributes:
        name: as asked for.
        train, test: uint8 pixels, (n_images, height, width) or (n_images, height, width, channels).
        train_labels, test_labels: class of each image, int64, (n_images,).
        scale: pixel value that becomes 1.0 (255; 16 for digits).
        validation, validation_labels: a validation split the data set fixes itself, None where `holdout` makes it.
    """

    name: str
    train: Tensor
    train_labels: Tensor
    test: Tensor
    test_labels: Tensor
    scale: float = 255.0
    validation: Tensor | None = None
    validation_labels: Tensor | None = None

    @property
    def n_classes(self) -> int:
        return int(self.train_labels.max()) + 1

    @functools.cached_property
    def checksum(self) -> str:
        """sha256 over all pixels and labels, 16 hex digits."""
        digest = hashlib.sha256()
        for part in (
            self.train,
            self.train_labels,
            self.validation,
            self.validation_labels,
            self.test,
            self.test_labels,
        ):
            if part is not None:
                digest.update(str(tuple(part.shape)).encode())
                digest.update(part.contiguous().numpy().tobytes())
        return digest.hexdigest()[:16]


def data_root(path: str | os.PathLike[str] | None = None) -> Path:
    """Where data sets lie: `path`, else HNET_DATA, else ~/.cache/hnet/data."""
    return Path(path or os.environ.get("HNET_DATA") or "~/.cache/hnet/data").expanduser()


def open_images(name: str, root: Path, validation: float | None) -> Images:
    """Load a data set by name and hold out its validation split.

    Args:
        name: a known data set, or a folder below `root` with train.npz and test.npz.
        validation: share of the training images held out for selection, in [0, 0.5]; 0 keeps them all for training;
            None takes the default of the data set: its own fixed split, or 0.1.

    Raises:
        DatasetMissing: nothing of that name exists, nor could be downloaded.
        DatasetCorrupt: a file is there but is not what it should be.
    """
    return _hold_out(_load(name, str(root)), validation)


@functools.lru_cache(maxsize=4)
def _load(name: str, root: str) -> Images:
    if name in DATASETS:
        images: Images = DATASETS[name].load(Path(root))
        return images
    from hnet_core.data.npz_pair import load_pair

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
    """Mask of the last `fraction` of the images of every class, in file order: stratified, the same for every seed."""
    held = torch.zeros(len(labels), dtype=torch.bool)
    for label in labels.unique():
        members = (labels == label).nonzero().squeeze(1)
        held[members[len(members) - round(fraction * len(members)) :]] = True
    return held
