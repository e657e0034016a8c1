"""The German Traffic Sign Recognition Benchmark."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor

from hnet_core.data.colour_images import ColourImages
from hnet_core.data.images import Images


class Gtsrb(ColourImages):
    """26,640 + 12,630 photographs of 43 traffic signs (Stallkamp et al. 2012), scaled to 32x32.

    The files hold images of 15 to 250 pixels a side; each is scaled, bilinear and antialiased, without regard to its
    proportions. The training split is the one torchvision downloads, of 26,640 images.
    """

    name = "gtsrb"
    summary = "photographs of 43 traffic signs at 32x32, 26,640 + 12,630 images (torchvision or npz)"
    n_classes = 43
    folder: ClassVar[str] = "gtsrb/GTSRB"

    @classmethod
    def read(cls, root: Path, *, download: bool) -> Images:
        from torchvision.datasets import GTSRB

        train, test = (_scaled(GTSRB(str(root), split=part, download=download)) for part in ("train", "test"))
        return Images(cls.name, *train, *test)


def _scaled(dataset: Any) -> tuple[Tensor, Tensor]:
    """Return pixels (n, 32, 32, 3), uint8, and labels (n,) of images of any size."""
    from torchvision.transforms.v2 import functional

    height, width, channels = Gtsrb.input_shape
    pixels = torch.empty(len(dataset), height, width, channels, dtype=torch.uint8)
    labels = torch.empty(len(dataset), dtype=torch.int64)
    for index in range(len(dataset)):
        image, label = dataset[index]
        scaled = functional.resize(functional.pil_to_tensor(image), [height, width], antialias=True)
        pixels[index], labels[index] = scaled.permute(1, 2, 0), label
    return pixels, labels
