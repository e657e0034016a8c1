"""CIFAR-10 and CIFAR-100."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import torch

from hnet_core.data.colour_images import ColourImages
from hnet_core.data.images import Images


class Cifar10(ColourImages):
    """50,000 + 10,000 colour photographs, 32x32, of 10 classes (Krizhevsky 2009)."""

    name = "cifar10"
    summary = "32x32 colour photographs of 10 classes, 50,000 + 10,000 images (torchvision or npz)"
    n_classes = 10
    folder: ClassVar[str] = "cifar-10-batches-py"
    torchvision_name: ClassVar[str] = "CIFAR10"

    @classmethod
    def read(cls, root: Path, *, download: bool) -> Images:
        """Read both splits; torchvision compares every file with its published checksum before it unpickles it."""
        from torchvision import datasets

        dataset: Any = getattr(datasets, cls.torchvision_name)
        train, test = (dataset(str(root), train=part, download=download) for part in (True, False))
        return Images(
            cls.name,
            torch.from_numpy(train.data),
            torch.tensor(train.targets, dtype=torch.int64),
            torch.from_numpy(test.data),
            torch.tensor(test.targets, dtype=torch.int64),
        )


class Cifar100(Cifar10):
    """50,000 + 10,000 colour photographs, 32x32, of 100 classes (Krizhevsky 2009)."""

    name = "cifar100"
    summary = "32x32 colour photographs of 100 classes, 50,000 + 10,000 images (torchvision or npz)"
    n_classes = 100
    folder: ClassVar[str] = "cifar-100-python"
    torchvision_name: ClassVar[str] = "CIFAR100"
