"""The slim ResNet-18 of Lopez-Paz & Ranzato (2017), the network of Hemati et al. (2023)."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from hnet_core.targets.blocks import BlockNetwork, ConvOptions, check_sides, image_sides
from hnet_core.targets.layers import Conv, GlobalMean, Layer, Linear, Norm, Pixels, Relu, Residual


class SlimResnet18(BlockNetwork):
    """One convolution, four stages of two residual blocks with nf, 2 nf, 4 nf, 8 nf channels, a linear layer.

    "Gradient episodic memory for continual learning", NeurIPS 2017, https://arxiv.org/abs/1706.08840; convolutions
    have no biases, shortcuts between stages are 1x1 convolutions. Four blocks can be frozen: the first convolution with
    stage 1, then one stage each (Hemati et al. 2023, sec. 4). 1,109,240 weights with 100 outputs.
    """

    name = "slim_resnet18"
    summary = "ResNet-18 with a third of the channels (Lopez-Paz & Ranzato 2017; Hemati et al. 2023)"
    tiny: ClassVar[dict[str, Any]] = {"n_filters": 3}

    class Options(ConvOptions):
        n_filters: int = Field(20, ge=1, description="channels of the first stage")

    def __init__(self, options: Options, input_shape: tuple[int, ...], n_outputs: int) -> None:
        height, width, channels = image_sides(self.name, input_shape)
        widths = [options.n_filters * factor for factor in (1, 1, 2, 4, 8)]
        first: list[Layer] = [Pixels(height, width, channels), *_convolution(channels, widths[0], 3, 1), Relu()]
        stages = [_stage(widths[i], widths[i + 1], 1 if i == 0 else 2) for i in range(4)]
        last: list[Layer] = [GlobalMean(), Linear(widths[-1], n_outputs)]
        blocks = [[*first, *stages[0]], *stages[1:], last]
        check_sides(self.name, blocks, input_shape, smallest=2)
        super().__init__(blocks, input_shape, options.normalization, options.initialization)


def _convolution(n_in: int, n_out: int, size: int, stride: int) -> list[Layer]:
    return [Conv(n_in, n_out, size, stride=stride, bias=False), Norm(n_out)]


def _stage(n_in: int, n_out: int, stride: int) -> list[Layer]:
    shortcut = [] if (n_in, stride) == (n_out, 1) else _convolution(n_in, n_out, 1, stride)
    first = [*_convolution(n_in, n_out, 3, stride), Relu(), *_convolution(n_out, n_out, 3, 1)]
    second = [*_convolution(n_out, n_out, 3, 1), Relu(), *_convolution(n_out, n_out, 3, 1)]
    return [Residual(first, shortcut), Residual(second)]
