"""A labelled image data set, and the folder of data sets."""

from __future__ import annotations

import functools
import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor


@dataclass(frozen=True)
class Images:
    """A labelled image data set with its official test split.

    Attributes:
        name: the name it was opened by.
        train, test: uint8 pixels, (n_images, height, width) or (n_images, height, width, channels).
        train_labels, test_labels: class of each image, int64, (n_images,).
        scale: pixel value that becomes 1.0 (255; 16 for digits).
        validation, validation_labels: a validation split fixed by the data set, None if `open_images` holds one out.
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


def joint_checksum(images: Sequence[Images]) -> str:
    """Return one checksum of several data sets, 16 hex digits."""
    return hashlib.sha256("+".join(one.checksum for one in images).encode()).hexdigest()[:16]


def data_root(path: str | os.PathLike[str] | None = None) -> Path:
    """Return the folder of data sets: `path`, else HNET_DATA, else ~/.cache/hnet/data."""
    return Path(path or os.environ.get("HNET_DATA") or "~/.cache/hnet/data").expanduser()
