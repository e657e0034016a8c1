"""The convolutional networks of Zenke et al. (2017): for CIFAR, and as HyperMask has it for TinyImageNet."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from hnet_core.options import ADDED_LATER
from hnet_core.targets.blocks import BlockNetwork, ConvOptions, check_sides, image_sides
from hnet_core.targets.layers import Chain, Conv, Dropout, Layer, Linear, MaxPool, Pixels, Relu
from hnet_core.targets.target import numel


class ZenkenetOptions(ConvOptions):
    """Options of both networks."""

    dropout_conv: float = Field(0.25, ge=0, lt=1, description="channels left out after each pair of convolutions")
    dropout_steps: int | None = Field(
        None,
        ge=0,
        description="first training passes of each task with dropout; left out: all; 1 as in the code of HyperMask",
        json_schema_extra=ADDED_LATER,
    )


class Zenkenet(BlockNetwork):
    """Four 3x3 convolutions (32, 32, 64, 64 channels), a hidden layer of 512, a linear layer; no normalisation.

    "Continual learning through synaptic intelligence", ICML 2017, https://arxiv.org/abs/1703.04200, App. C; 1,276,508
    weights with 60 outputs on 32x32x3 images. Three blocks can be frozen: each pair of convolutions, the hidden layer.
    """

    name = "zenkenet"
    summary = "four convolutions and a hidden layer of 512 (Zenke et al. 2017)"
    normalizes: ClassVar[bool] = False

    class Options(ZenkenetOptions):
        dropout_hidden: float = Field(0.5, ge=0, lt=1, description="values left out after the hidden layer")

    def __init__(self, options: Options, input_shape: tuple[int, ...], n_outputs: int) -> None:
        pairs = _pairs(self.name, input_shape, (32, 64), options.dropout_conv)
        hidden: list[Layer] = [Linear(_n_features(pairs, input_shape), 512), Relu(), Dropout(options.dropout_hidden)]
        super().__init__(
            [*pairs, hidden, [Linear(512, n_outputs)]],
            input_shape,
            options.normalization,
            options.initialization,
            dropout_steps=options.dropout_steps,
        )


class Zenkenet64(BlockNetwork):
    """Four 3x3 convolutions of 64 channels and a linear layer, for images of 64 pixels; no normalisation.

    The network of the official code of HyperMask (Ksiazek and Spurek 2023) for TinyImageNet: 175,301 weights with 5
    outputs on 64x64x3 images. Two blocks can be frozen, each pair of convolutions.
    """

    name = "zenkenet64"
    summary = "four convolutions, for 64x64 images (HyperMask's network for TinyImageNet)"

    class Options(ZenkenetOptions):
        pass

    def __init__(self, options: Options, input_shape: tuple[int, ...], n_outputs: int) -> None:
        pairs = _pairs(self.name, input_shape, (64, 64), options.dropout_conv)
        super().__init__(
            [*pairs, [Linear(_n_features(pairs, input_shape), n_outputs)]],
            input_shape,
            options.normalization,
            options.initialization,
            dropout_steps=options.dropout_steps,
        )


def _pairs(
    name: str, input_shape: tuple[int, ...], channels: tuple[int, int], dropout: float
) -> tuple[list[Layer], list[Layer]]:
    """Return two blocks of two convolutions and a pooling each, with so many channels."""
    height, width, n_in = image_sides(name, input_shape)
    first: list[Layer] = [Pixels(height, width, n_in), *_pair(n_in, channels[0], dropout)]
    second = _pair(channels[0], channels[1], dropout)
    check_sides(name, [first, second], input_shape, smallest=1)
    return first, second


def _n_features(blocks: tuple[list[Layer], list[Layer]], input_shape: tuple[int, ...]) -> int:
    return numel(Chain([*blocks[0], *blocks[1]]).output_shape(input_shape))


def _pair(n_in: int, n_out: int, dropout: float) -> list[Layer]:
    return [
        Conv(n_in, n_out, 3, bias=True),
        Relu(),
        Conv(n_out, n_out, 3, same=False, bias=True),
        Relu(),
        MaxPool(),
        Dropout(dropout),
    ]
