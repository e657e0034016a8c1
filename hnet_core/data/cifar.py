"""CIFAR-10 and CIFAR-100: torchvision's files, or a pair of npz files, downloaded if absent."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import Any, ClassVar

import torch

from hnet_core.data.images import Images
from hnet_core.data.mnist import first_line
from hnet_core.data.npz import load_pair
from hnet_core.errors import DatasetCorrupt, DatasetMissing


class Cifar10:
    """50,000 + 10,000 colour photographs, 32x32, of 10 classes (Krizhevsky 2009)."""

    name = "cifar10"
    summary = "32x32 colour photographs of 10 classes, 50,000 + 10,000 images (torchvision or npz)"
    n_classes = 10
    input_shape = (32, 32, 3)
    torchvision_name: ClassVar[str] = "CIFAR10"
    folder: ClassVar[str] = "cifar-10-batches-py"

    @classmethod
    def is_present(cls, root: Path) -> bool:
        return _has_pair(root / cls.name) or (root / cls.folder).is_dir()

    @classmethod
    def load(cls, root: Path) -> Images:
        """Read the npz pair of the folder `name` if there is one, else torchvision's files.

        Raises:
            DatasetMissing: neither exists and the download failed.
            DatasetCorrupt: a file cannot be read, or its images are not of the data set's shape and classes.
        """
        if not _has_pair(root / cls.name):
            return _load_torchvision(cls.name, cls.torchvision_name, root, root / cls.folder)
        images = load_pair(cls.name, root / cls.name)
        if tuple(images.train.shape[1:]) != cls.input_shape or images.n_classes != cls.n_classes:
            raise DatasetCorrupt(
                f"{root / cls.name} must hold {cls.n_classes} classes of images {cls.input_shape}, got "
                f"{images.n_classes} of {tuple(images.train.shape[1:])}; name a stand-in otherwise."
            )
        return images


class Cifar100(Cifar10):
    """50,000 + 10,000 colour photographs, 32x32, of 100 classes (Krizhevsky 2009)."""

    name = "cifar100"
    summary = "32x32 colour photographs of 100 classes, 50,000 + 10,000 images (torchvision or npz)"
    n_classes = 100
    torchvision_name: ClassVar[str] = "CIFAR100"
    folder: ClassVar[str] = "cifar-100-python"


def _has_pair(folder: Path) -> bool:
    return (folder / "train.npz").exists() or (folder / "test.npz").exists()


def _load_torchvision(name: str, torchvision_name: str, root: Path, folder: Path) -> Images:
    """Read both splits; torchvision compares every file with its published checksum before it unpickles it."""
    from torchvision import datasets

    dataset: Any = getattr(datasets, torchvision_name)
    present = folder.is_dir()
    try:
        with contextlib.redirect_stdout(sys.stderr):
            train, test = (dataset(str(root), train=part, download=not present) for part in (True, False))
    except Exception as error:  # RuntimeError, OSError, URLError, tarfile and pickle errors
        if present:
            raise DatasetCorrupt(
                f"{name}: cannot read the files in {folder} ({first_line(error)}); delete them and run again."
            ) from error
        raise DatasetMissing(
            f"{name} is not in {root} and could not be downloaded ({first_line(error)}); put torchvision's files into "
            f"{folder}, or train.npz and test.npz into {root / name}, or name the data folder with --data or HNET_DATA."
        ) from error
    return Images(
        name,
        torch.from_numpy(train.data),
        torch.tensor(train.targets, dtype=torch.int64),
        torch.from_numpy(test.data),
        torch.tensor(test.targets, dtype=torch.int64),
    )
