"""Images of different data sets at one size and with three channels, and selections of classes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from hnet_core.data import Images

BLOCK = 4096


def resized(images: Images, side: int, channels: int | None = None) -> Images:
    """Scale all images to side x side pixels (bilinear, antialiased); repeat grey ones to `channels` if given."""

    def convert(pixels: Tensor) -> Tensor:
        return torch.cat([_convert(block, side, channels) for block in pixels.split(BLOCK)])

    return replace(
        images,
        train=convert(images.train),
        validation=None if images.validation is None else convert(images.validation),
        test=convert(images.test),
    )


def of_classes(images: Images, classes: Tensor) -> Images:
    """Select the images of some classes, with unchanged labels."""
    members = {part: torch.isin(labels, classes) for part, labels in _labels(images).items()}
    changes: dict[str, Any] = {part: getattr(images, part)[chosen] for part, chosen in members.items()}
    changes |= {f"{part}_labels": labels[members[part]] for part, labels in _labels(images).items()}
    return replace(images, **changes)


def _labels(images: Images) -> dict[str, Tensor]:
    parts = {"train": images.train_labels, "validation": images.validation_labels, "test": images.test_labels}
    return {part: labels for part, labels in parts.items() if labels is not None}


def _convert(pixels: Tensor, side: int, channels: int | None) -> Tensor:
    if pixels.ndim == 3 and channels is not None:
        pixels = pixels.unsqueeze(3).expand(-1, -1, -1, channels)
    if pixels.shape[1:3] == (side, side):
        return pixels.contiguous()
    with_channels = pixels if pixels.ndim == 4 else pixels.unsqueeze(3)
    values = with_channels.permute(0, 3, 1, 2).float()
    values = F.interpolate(values, (side, side), mode="bilinear", antialias=True)
    scaled = values.round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1)
    return scaled if pixels.ndim == 4 else scaled.squeeze(3)
