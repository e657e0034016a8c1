"""The convolutional network of Zenke et al. (2017) for CIFAR."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from hnet_core.targets.blocks import BlockNetwork, ConvOptions, check_sides, image_sides
from hnet_core.targets.layers import Chain, Conv, Dropout, Layer, Linear, MaxPool, Pixels, Relu
from hnet_core.targets.target import numel


class Zenkenet(BlockNetwork):
    """Four 3x3 convolutions (32, 32, 64, 64 channels), a hidden layer of 512, a linear layer; no normalisation.

    "Continual learning through synaptic intelligence", ICML 2017, https://arxiv.org/abs/1703.04200, App. C; 1,276,508
    weights with 60 outputs on 32x32x3 images. Three blocks can be frozen: each pair of convolutions, the hidden layer.
    """

    name = "zenkenet"
    summary = "four convolutions and a hidden layer of 512 (Zenke et al. 2017)"
    normalizes: ClassVar[bool] = False

    class Options(ConvOptions):
        dropout_conv: float = Field(0.25, ge=0, lt=1, description="channels left out after each pair of convolutions")
        dropout_hidden: float = Field(0.5, ge=0, lt=1, description="values left out after the hidden layer")

    def __init__(self, options: Options, input_shape: tuple[int, ...], n_outputs: int) -> None:
        height, width, channels = image_sides(self.name, input_shape)
        first: list[Layer] = [Pixels(height, width, channels), *_pair(channels, 32, options.dropout_conv)]
        second = _pair(32, 64, options.dropout_conv)
        check_sides(self.name, [first, second], input_shape, smallest=1)
        n_features = numel(Chain([*first, *second]).output_shape(input_shape))
        hidden: list[Layer] = [Linear(n_features, 512), Relu(), Dropout(options.dropout_hidden)]
        last: list[Layer] = [Linear(512, n_outputs)]
        blocks = [first, second, hidden, last]
        super().__init__(blocks, input_shape, options.normalization, options.initialization)


def _pair(n_in: int, n_out: int, dropout: float) -> list[Layer]:
    return [
        Conv(n_in, n_out, 3, bias=True),
        Relu(),
        Conv(n_out, n_out, 3, same=False, bias=True),
        Relu(),
        MaxPool(),
        Dropout(dropout),
    ]
