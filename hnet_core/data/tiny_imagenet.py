"""TinyImageNet from the folder of its official archive, or from a pair of npz files."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from hnet_core.data.colour_images import ColourImages
from hnet_core.data.images import Images


class TinyImagenet(ColourImages):
    """100,000 + 10,000 photographs, 64x64, of 200 classes of ImageNet (Stanford CS231n).

    The test split is the official validation images: those of the official test split have no labels. Classes are
    numbered in the order of their WordNet ids, as in wnids.txt after sorting.
    """

    name = "tiny_imagenet"
    summary = "64x64 colour photographs of 200 classes, 100,000 + 10,000 images (official folder or npz)"
    n_classes = 200
    input_shape: ClassVar[tuple[int, ...]] = (64, 64, 3)
    folder: ClassVar[str] = "tiny-imagenet-200"

    @classmethod
    def read(cls, root: Path, *, download: bool) -> Images:
        """Read train/WNID/images/*.JPEG, and val/images with val/val_annotations.txt."""
        if download:
            raise OSError("torchvision does not have it; unpack tiny-imagenet-200.zip of Stanford's CS231n")
        folder = root / cls.folder
        names = sorted(path.name for path in (folder / "train").iterdir() if path.is_dir())
        train = [(path, name) for name in names for path in sorted((folder / "train" / name / "images").iterdir())]
        with (folder / "val" / "val_annotations.txt").open() as file:
            test = [(folder / "val" / "images" / row[0], row[1]) for row in csv.reader(file, delimiter="\t")]
        return Images(cls.name, *_read(train, names), *_read(test, names))


def _read(files: Sequence[tuple[Path, str]], names: Sequence[str]) -> tuple[Tensor, Tensor]:
    """Return pixels (n, 64, 64, 3), uint8, and labels (n,) of files and the names of their classes."""
    from PIL import Image

    number = {name: label for label, name in enumerate(names)}
    pixels = np.empty((len(files), *TinyImagenet.input_shape), dtype=np.uint8)
    for index, (path, _) in enumerate(files):
        with Image.open(path) as image:
            pixels[index] = np.asarray(image.convert("RGB"))  # some are grey
    return torch.from_numpy(pixels), torch.tensor([number[name] for _, name in files], dtype=torch.int64)
