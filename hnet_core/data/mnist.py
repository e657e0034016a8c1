"""MNIST and Fashion-MNIST in torchvision's layout, downloaded if absent."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import Any

import torch

from hnet_core.data.images import Images
from hnet_core.errors import DatasetCorrupt, DatasetMissing


class Mnist:
    """60,000 + 10,000 handwritten digits, 28x28 (LeCun et al. 1998)."""

    name = "mnist"
    summary = "28x28 handwritten digits, 60,000 + 10,000 images (torchvision)"
    n_classes = 10
    input_shape = (28, 28)
    checksum = "53b4de002add035e"

    @classmethod
    def load(cls, root: Path) -> Images:
        from torchvision import datasets

        return load_torchvision(cls.name, datasets.MNIST, root, cls.checksum)

    @classmethod
    def is_present(cls, root: Path) -> bool:
        return (root / "MNIST" / "raw").is_dir()


class FashionMnist:
    """60,000 + 10,000 grey images of clothes, 28x28 (Xiao et al. 2017, https://arxiv.org/abs/1708.07747)."""

    name = "fashion_mnist"
    summary = "28x28 images of clothes, 60,000 + 10,000 images (torchvision)"
    n_classes = 10
    input_shape = (28, 28)
    checksum = "5b22a816b4ddd488"

    @classmethod
    def load(cls, root: Path) -> Images:
        from torchvision import datasets

        return load_torchvision(cls.name, datasets.FashionMNIST, root, cls.checksum)

    @classmethod
    def is_present(cls, root: Path) -> bool:
        return (root / "FashionMNIST" / "raw").is_dir()


def load_torchvision(name: str, dataset: Any, root: Path, checksum: str) -> Images:
    """Read both splits and compare them with the published files.

    Raises:
        DatasetMissing: the files are absent and the download failed.
        DatasetCorrupt: a file cannot be parsed, or its content is not the published one.
    """
    folder = root / dataset.__name__ / "raw"
    present = folder.is_dir() and any(folder.iterdir())
    try:
        with contextlib.redirect_stdout(sys.stderr):  # torchvision reports its download on stdout, which is for data
            train, test = (dataset(str(root), train=part, download=not present) for part in (True, False))
    except Exception as error:  # torchvision raises RuntimeError, OSError, ValueError, struct.error, ...
        if present:
            raise DatasetCorrupt(
                f"{name}: cannot read the files in {folder} ({first_line(error)}); delete them and run again."
            ) from error
        raise DatasetMissing(
            f"{name} is not in {root} and could not be downloaded ({first_line(error)}); "
            f"put its files into {folder} or name the data folder with --data or HNET_DATA."
        ) from error
    images = Images(
        name,
        train.data.to(torch.uint8),
        train.targets.to(torch.int64),
        test.data.to(torch.uint8),
        test.targets.to(torch.int64),
    )
    if images.checksum != checksum:
        raise DatasetCorrupt(
            f"{name}: the files in {folder} differ from the published ones "
            f"(checksum {images.checksum}, expected {checksum}); delete them and run again."
        )
    return images


def first_line(error: Exception) -> str:
    """Return the reason of an error in one line, without the number of an error of the system."""
    of_system = getattr(getattr(error, "reason", error), "strerror", None)  # urllib keeps that error as the reason
    return of_system or (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(":")
