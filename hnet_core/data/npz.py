"""A user's data set: a folder with train.npz and test.npz, each with the arrays `images` and `labels`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from hnet_core.data.images import Images
from hnet_core.errors import DatasetCorrupt, DatasetMissing

Array = np.ndarray[Any, Any]

FILES = ("train.npz", "test.npz")
CHANNELS = (1, 3, 4)  # grey, RGB, RGBA: a last axis of this length is taken for the channels


def pair_folders(root: Path) -> dict[str, list[str]]:
    """Return the folders below `root` that hold one file of a pair or both, by name, each with the files it lacks."""
    if not root.is_dir():
        return {}
    lacking = {
        folder.name: [file for file in FILES if not (folder / file).is_file()]
        for folder in sorted(root.iterdir())
        if folder.is_dir()
    }
    return {name: files for name, files in lacking.items() if len(files) < len(FILES)}


def load_pair(name: str, folder: Path) -> Images:
    """Read `folder`/train.npz and `folder`/test.npz; images are uint8 (N, H, W) or (N, H, W, C), labels integers (N,).

    The labels of train.npz are 0, 1, ..., n_classes - 1, each at least once; those of test.npz are among them.

    Raises:
        DatasetMissing: one of the files is absent.
        DatasetCorrupt: a file is no npz, lacks an array, or its arrays do not fit.
    """
    train_path, test_path = (folder / file for file in FILES)
    (train, train_labels), (test, test_labels) = _read(train_path), _read(test_path)
    if train.shape[1:] != test.shape[1:]:
        raise DatasetCorrupt(
            f"{folder}: images of train.npz and test.npz must have one shape, "
            f"got {train.shape[1:]} and {test.shape[1:]}; resize those of one file."
        )
    _check_classes(train_path, train_labels)
    unknown = np.setdiff1d(test_labels, train_labels)
    if len(unknown):
        raise DatasetCorrupt(
            f"{test_path}: every class must have images in train.npz, got test images of {_listed(unknown)}, "
            f"which no training image has; remove these test images or add training images."
        )
    return Images(
        name,
        torch.from_numpy(train),
        torch.from_numpy(train_labels.astype(np.int64)),
        torch.from_numpy(test),
        torch.from_numpy(test_labels.astype(np.int64)),
    )


def _read(path: Path) -> tuple[Array, Array]:
    if not path.exists():
        raise DatasetMissing(f"{path} does not exist; it must hold the arrays images (N, H, W[, C]) and labels (N,).")
    images, labels = _arrays(path)
    _check_images(path, images)
    if labels.shape != images.shape[:1] or labels.dtype.kind not in "iu" or labels.min() < 0:
        lowest = f" from {labels.min()}" if labels.dtype.kind == "i" and labels.size and labels.min() < 0 else ""
        raise DatasetCorrupt(
            f"{path}: labels must be one non-negative integer for each of {len(images)} images, "
            f"got {labels.dtype} {labels.shape}{lowest}; one-hot labels become integers by labels.argmax(axis=1), "
            "other ones by labels.ravel().astype(int)."
        )
    return images, labels


def _arrays(path: Path) -> tuple[Array, Array]:
    """Read the two arrays of a file, never an object, which could run code."""
    try:
        opened = np.load(path, allow_pickle=False)
        if not isinstance(opened, np.lib.npyio.NpzFile):
            raise ValueError(f"it holds a single array {opened.shape}")
        with opened as arrays:
            lacking = [name for name in ("images", "labels") if name not in arrays]
            if lacking:
                raise ValueError(f"it lacks {' and '.join(lacking)}, and has {', '.join(arrays) or 'no array'}")
            return arrays["images"], arrays["labels"]
    except Exception as error:  # zipfile, zlib and numpy each have their own
        is_object = "allow_pickle" in str(error)
        reason = "it holds Python objects, such as images of different sizes" if is_object else str(error)
        raise DatasetCorrupt(
            f"{path} must be an npz file with the arrays images (uint8) and labels (integers): {reason}; "
            "write it by numpy.savez(file, images=..., labels=...)."
        ) from error


def _check_images(path: Path, images: Array) -> None:
    got = f"got {images.dtype} {images.shape}"
    if images.ndim not in (3, 4):
        raise DatasetCorrupt(f"{path}: images must be uint8 of shape (N, H, W) or (N, H, W, C), {got}; reshape them.")
    if images.size == 0:
        raise DatasetCorrupt(f"{path}: there must be at least one image with at least one pixel, {got}.")
    if images.dtype != np.uint8:
        remedy = (
            "values in [0, 1] become uint8 by (255 * images).round().astype('uint8')"
            if images.dtype.kind in "fb" and 0 <= images.min() <= images.max() <= 1
            else "scale them to 0 ... 255, then images.round().astype('uint8')"
        )
        raise DatasetCorrupt(f"{path}: images must be uint8 with values 0 ... 255, {got}; {remedy}.")
    if images.ndim == 4 and _has_channels_first(images.shape):
        raise DatasetCorrupt(
            f"{path}: images must have their channels last, (N, H, W, C), {got}, which looks like (N, C, H, W); "
            "write images.transpose(0, 2, 3, 1)."
        )


def _has_channels_first(shape: tuple[int, ...]) -> bool:
    """Return whether (N, a, b, c) is rather (N, C, H, W) than (N, H, W, C)."""
    _, first, second, last = shape
    return last not in CHANNELS and (first in CHANNELS or first != second == last)


def _check_classes(path: Path, labels: Array) -> None:
    classes = np.unique(labels)
    if classes[-1] != len(classes) - 1:
        raise DatasetCorrupt(
            f"{path}: labels must be 0, 1, ..., {len(classes) - 1} for {len(classes)} classes, without a gap, "
            f"got {_listed(classes)}; number the classes anew, the same way in train.npz and test.npz: "
            "numpy.searchsorted(numpy.unique(train_labels), labels)."
        )


def _listed(classes: Array) -> str:
    shown = ", ".join(map(str, classes[:8]))
    return f"class{'es' if len(classes) > 1 else ''} {shown}{', ...' if len(classes) > 8 else ''}"
