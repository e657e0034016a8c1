"""The residual networks of He et al. (2016) for 32x32 images, with 20 and 32 layers."""

from __future__ import annotations

from pydantic import Field

from hnet_core.targets.blocks import BlockNetwork, ConvOptions, check_sides, image_sides
from hnet_core.targets.layers import Conv, GlobalMean, Layer, Linear, Norm, Pixels, Relu, Residual, Shortcut


class CifarResnetOptions(ConvOptions):
    """Options of the residual networks for 32x32 images."""

    width: int = Field(1, ge=1, description="factor on the channels 16, 32, 64 of the three stages; HyperMask: 2")


class CifarResnet(BlockNetwork):
    """One convolution, three stages of n two-layer blocks with 16, 32, 64 channels, a linear layer: 6 n + 2 layers.

    "Deep residual learning for image recognition", CVPR 2016, https://arxiv.org/abs/1512.03385, sec. 4.2, with
    shortcut option A (no weights). Convolutions have biases, as in the official code of von Oswald et al. (2020). Three
    blocks can be frozen: the first convolution with stage 1, stage 2, stage 3.

    Differs: that code puts all scales and shifts before all other weights, here weights come layer by layer; which
    chunk of a hypernetwork generates which weight therefore differs.
    """

    name = "cifar_resnet"
    blocks_per_stage: int

    class Options(CifarResnetOptions):
        pass

    def __init__(self, options: CifarResnetOptions, input_shape: tuple[int, ...], n_outputs: int) -> None:
        height, width, channels = image_sides(self.name, input_shape)
        widths = (16, *(options.width * n for n in (16, 32, 64)))
        first: list[Layer] = [Pixels(height, width, channels), *_convolution(channels, 16, 1), Relu()]
        stages = [_stage(widths[i], widths[i + 1], 1 if i == 0 else 2, self.blocks_per_stage) for i in range(3)]
        last: list[Layer] = [GlobalMean(), Linear(widths[-1], n_outputs)]
        blocks = [[*first, *stages[0]], stages[1], stages[2], last]
        check_sides(self.name, blocks, input_shape, smallest=2)
        super().__init__(blocks, input_shape, options.normalization, options.initialization)


class Resnet20(CifarResnet):
    """n = 3."""

    name = "resnet20"
    summary = "residual network of 20 layers for 32x32 images (He et al. 2016)"
    blocks_per_stage = 3


class Resnet32(CifarResnet):
    """n = 5: 468,540 weights with 60 outputs."""

    name = "resnet32"
    summary = "residual network of 32 layers for 32x32 images (He et al. 2016)"
    blocks_per_stage = 5


def _convolution(n_in: int, n_out: int, stride: int) -> list[Layer]:
    return [Conv(n_in, n_out, 3, stride=stride, bias=True), Norm(n_out)]


def _stage(n_in: int, n_out: int, stride: int, n_blocks: int) -> list[Layer]:
    first = Residual(
        [*_convolution(n_in, n_out, stride), Relu(), *_convolution(n_out, n_out, 1)], [Shortcut(n_in, n_out, stride)]
    )
    others = [
        Residual([*_convolution(n_out, n_out, 1), Relu(), *_convolution(n_out, n_out, 1)]) for _ in range(n_blocks - 1)
    ]
    return [first, *others]
