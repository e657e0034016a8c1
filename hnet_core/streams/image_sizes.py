"""Brings the images of different data sets to one size and to three channels."""

from __future__ import annotations

from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor

from hnet_core.data import Images

BLOCK = 4096


def resized(images: Images, side: int, channels: int | None = None) -> Images:
    """All images scaled to side x side pixels (bilinear, antialiased), grey ones repeated to `channels` where given."""

    def convert(pixels: Tensor) -> Tensor:
        return torch.cat([_convert(block, side, channels) for block in pixels.split(BLOCK)])

    return replace(
        images,
        train=convert(images.train),
        validation=None if images.validation is None else convert(images.validation),
        test=convert(images.test),
    )


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
