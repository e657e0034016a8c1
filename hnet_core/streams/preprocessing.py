"""Preprocessing of images as tensors: augmentation in training, normalisation always."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

AugmentationName = Literal["none", "crop", "flip", "crop_flip"]
NormalizationName = Literal["none", "mnist", "imagenet", "cifar10", "cifar100"]

CROP_PADDING = 4

# Mean and standard deviation of the channels, of pixels in [0, 1], as the official codes have them.
CHANNELS: dict[str, tuple[tuple[float, ...], tuple[float, ...]]] = {
    "mnist": ((0.1307,), (0.3081,)),
    "imagenet": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    "cifar10": ((0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010)),
    "cifar100": ((0.5071, 0.4865, 0.4409), (0.2673, 0.2564, 0.2762)),
}


@dataclass(frozen=True)
class Preprocessing:
    """Random crop (4 zero pixels added around), horizontal flip, or both; then (x - mean) / std per channel.

    Attributes:
        image_shape: (height, width, channels); images come flat, (n, height * width * channels).
    """

    image_shape: tuple[int, int, int]
    augmentation: AugmentationName = "none"
    normalization: NormalizationName = "none"

    def augmented(self, images: Tensor, draws: torch.Generator) -> Tensor:
        """Shift and flip each image at random; any dtype."""
        if self.augmentation == "none":
            return images
        height, width, channels = self.image_shape
        n, device = len(images), images.device
        padding = CROP_PADDING if "crop" in self.augmentation else 0
        shifts = torch.randint(2 * padding + 1, (2, n, 1), generator=draws)
        rows = shifts[0] + torch.arange(height)  # (n, height)
        columns = shifts[1] + torch.arange(width)  # (n, width)
        if "flip" in self.augmentation:
            flipped = torch.rand(n, 1, generator=draws) < 0.5
            columns = torch.where(flipped, columns.flip(1), columns)
        padded = F.pad(images.view(n, height, width, channels), (0, 0, *(padding,) * 4))
        of_image = torch.arange(n, device=device).view(n, 1, 1)
        return padded[of_image, rows.to(device).unsqueeze(2), columns.to(device).unsqueeze(1)].flatten(1)

    def normalized(self, values: Tensor) -> Tensor:
        """Return (x - mean) / std of pixels in [0, 1]."""
        if self.normalization == "none":
            return values
        mean, std = (values.new_tensor(part) for part in CHANNELS[self.normalization])
        height, width, n_channels = self.image_shape
        channels = values.view(len(values), height * width, n_channels)
        return ((channels - mean) / std).flatten(1)
