"""The Street View House Numbers."""

from __future__ import annotations

from pathlib import Path

import torch

from hnet_core.data.colour_images import ColourImages
from hnet_core.data.images import Images


class Svhn(ColourImages):
    """73,257 + 26,032 house numbers cut to single digits, 32x32 (Netzer et al. 2011); the split `extra` is not read.

    The digit 0 has class 0 (10 in the files).
    """

    name = "svhn"
    summary = "32x32 digits of house numbers, 73,257 + 26,032 images (torchvision or npz)"
    n_classes = 10
    folder = "SVHN"

    @classmethod
    def read(cls, root: Path, *, download: bool) -> Images:
        """Read train_32x32.mat and test_32x32.mat; torchvision compares each with its published checksum."""
        from torchvision.datasets import SVHN

        train, test = (SVHN(str(root / cls.folder), split=part, download=download) for part in ("train", "test"))
        return Images(
            cls.name,
            torch.from_numpy(train.data).permute(0, 2, 3, 1).contiguous(),
            torch.from_numpy(train.labels),
            torch.from_numpy(test.data).permute(0, 2, 3, 1).contiguous(),
            torch.from_numpy(test.labels),
        )
