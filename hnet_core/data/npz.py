"""A user's data set: a folder with train.npz and test.npz, each with the arrays `images` and `labels`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from hnet_core.data.images import Images
from hnet_core.errors import DatasetCorrupt, DatasetMissing


def load_pair(name: str, folder: Path) -> Images:
    """Read `folder`/train.npz and `folder`/test.npz; images are uint8 (N, H, W) or (N, H, W, C), labels integers (N,).

    Raises:
        DatasetMissing: one of the files is absent.
        DatasetCorrupt: a file is no npz, lacks an array, or its arrays do not fit.
    """
    train, train_labels = _read(folder / "train.npz")
    test, test_labels = _read(folder / "test.npz")
    if train.shape[1:] != test.shape[1:]:
        raise DatasetCorrupt(
            f"{name}: train and test images must have one shape, "
            f"got {tuple(train.shape[1:])} and {tuple(test.shape[1:])}."
        )
    return Images(name, train, train_labels, test, test_labels)


def _read(path: Path) -> tuple[Tensor, Tensor]:
    if not path.exists():
        raise DatasetMissing(f"{path} does not exist; it must hold the arrays images (N, H, W[, C]) and labels (N,).")
    try:
        with np.load(path, allow_pickle=False) as arrays:
            images, labels = arrays["images"], arrays["labels"]
    except Exception as error:  # zipfile, zlib and numpy each have their own
        raise DatasetCorrupt(f"{path} must be an npz file with the arrays images and labels: {error}") from error
    if images.dtype != np.uint8 or images.ndim not in (3, 4):
        raise DatasetCorrupt(
            f"{path}: images must be uint8 of shape (N, H, W) or (N, H, W, C), got {images.dtype} {images.shape}."
        )
    if labels.shape != images.shape[:1] or labels.dtype.kind not in "iu" or len(labels) == 0 or labels.min() < 0:
        raise DatasetCorrupt(
            f"{path}: labels must be one non-negative integer for each of {len(images)} images, "
            f"got {labels.dtype} {labels.shape}."
        )
    return torch.from_numpy(images), torch.from_numpy(labels.astype(np.int64))
