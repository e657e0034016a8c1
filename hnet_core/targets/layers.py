"""Layers without weights of their own, the parts of the convolutional target networks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from hnet_core.targets.normalization import normalize
from hnet_core.targets.target import ForwardMode, Kind, numel

Shape = tuple[int, ...]


class WeightReader:
    """Iterator over the tensors of a network, and its running statistics, layer by layer."""

    def __init__(self, tensors: Sequence[Tensor], statistics: Tensor | None) -> None:
        self._tensors = iter(tensors)
        self._statistics, self._used = statistics, 0

    def next_tensor(self) -> Tensor:
        return next(self._tensors)

    def next_statistics(self, n_channels: int) -> tuple[Tensor, Tensor] | None:
        """Return running mean and variance of the next layer, (n_channels,) each; None if none are kept."""
        if self._statistics is None:
            return None
        start, self._used = self._used, self._used + 2 * n_channels
        return self._statistics[start : start + n_channels], self._statistics[start + n_channels : self._used]


class Layer(Protocol):
    """One step of a network.

    Attributes:
        tensors: kind and shape of its weights.
        normalized: channels of each normalisation in it.
    """

    tensors: tuple[tuple[Kind, Shape], ...]
    normalized: tuple[int, ...]

    def output_shape(self, shape: Shape) -> Shape:
        """Return the shape of one output for one input of `shape`, without the batch; sides below 1 are invalid."""

    def multiply_adds(self, shape: Shape) -> int:
        """Count the multiply-adds for one input."""

    def forward(self, x: Tensor, weights: WeightReader, mode: ForwardMode) -> Tensor: ...


class BaseLayer:
    """A layer without weights that keeps the shape; the base of all others."""

    tensors: tuple[tuple[Kind, Shape], ...] = ()
    normalized: tuple[int, ...] = ()

    def output_shape(self, shape: Shape) -> Shape:
        return shape

    def multiply_adds(self, shape: Shape) -> int:
        return 0


class Pixels(BaseLayer):
    """Flat inputs (n, H * W * C) as images (n, C, H, W), with channels last in memory as before."""

    def __init__(self, height: int, width: int, channels: int) -> None:
        self._sides = height, width, channels

    def output_shape(self, shape: Shape) -> Shape:
        height, width, channels = self._sides
        return channels, height, width

    def forward(self, x: Tensor, weights: WeightReader, mode: ForwardMode) -> Tensor:
        return x.view(len(x), *self._sides).permute(0, 3, 1, 2)


class Conv(BaseLayer):
    """A square convolution; padding keeps the sides (`same`) or there is none (`valid`)."""

    def __init__(self, n_in: int, n_out: int, size: int, *, stride: int = 1, same: bool = True, bias: bool) -> None:
        weight: tuple[Kind, Shape] = ("weight", (n_out, n_in, size, size))
        self.tensors = (weight, ("bias", (n_out,))) if bias else (weight,)
        self._stride, self._padding, self._bias = stride, (size - 1) // 2 if same else 0, bias

    def output_shape(self, shape: Shape) -> Shape:
        n_out, _, size, _ = self.tensors[0][1]
        height, width = ((side + 2 * self._padding - size) // self._stride + 1 for side in shape[1:])
        return n_out, height, width

    def multiply_adds(self, shape: Shape) -> int:
        return numel(self.output_shape(shape)[1:]) * numel(self.tensors[0][1])

    def forward(self, x: Tensor, weights: WeightReader, mode: ForwardMode) -> Tensor:
        weight, stride = weights.next_tensor(), self._stride
        if weight.shape[2] == 1 and stride > 1:
            # Equivalent, and avoids a crash: the gradient of a strided 1x1 convolution of few channels, channels last
            # in memory, writes out of bounds on CPU (torch 2.15, oneDNN).
            x, stride = x[:, :, ::stride, ::stride], 1
        return F.conv2d(x, weight, weights.next_tensor() if self._bias else None, stride, self._padding)


class Norm(BaseLayer):
    """Normalisation with a scale and a shift per channel, over the values that `ForwardMode.normalization` names."""

    def __init__(self, n_channels: int) -> None:
        self.tensors = (("scale", (n_channels,)), ("shift", (n_channels,)))
        self.normalized = (n_channels,)

    def forward(self, x: Tensor, weights: WeightReader, mode: ForwardMode) -> Tensor:
        return normalize(
            x, weights.next_tensor(), weights.next_tensor(), weights.next_statistics(self.normalized[0]), mode
        )


class Linear(BaseLayer):
    """x W^T + b on the flattened input."""

    def __init__(self, n_in: int, n_out: int) -> None:
        self.tensors = (("weight", (n_out, n_in)), ("bias", (n_out,)))

    def output_shape(self, shape: Shape) -> Shape:
        return (self.tensors[0][1][0],)

    def multiply_adds(self, shape: Shape) -> int:
        return numel(self.tensors[0][1])

    def forward(self, x: Tensor, weights: WeightReader, mode: ForwardMode) -> Tensor:
        return F.linear(x.flatten(1), weights.next_tensor(), weights.next_tensor())


class Activation(BaseLayer):
    """An elementwise function."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        self._function = function

    def forward(self, x: Tensor, weights: WeightReader, mode: ForwardMode) -> Tensor:
        return self._function(x)


class Relu(BaseLayer):
    """max(x, 0), in place: the layers it follows do not need their outputs for their gradients."""

    def forward(self, x: Tensor, weights: WeightReader, mode: ForwardMode) -> Tensor:
        return torch.relu_(x)


class MaxPool(BaseLayer):
    """Maximum over squares of 2 x 2."""

    def output_shape(self, shape: Shape) -> Shape:
        channels, height, width = shape
        return channels, height // 2, width // 2

    def forward(self, x: Tensor, weights: WeightReader, mode: ForwardMode) -> Tensor:
        return F.max_pool2d(x, 2)


class GlobalMean(BaseLayer):
    """Mean over all pixels of a channel."""

    def output_shape(self, shape: Shape) -> Shape:
        return (shape[0],)

    def forward(self, x: Tensor, weights: WeightReader, mode: ForwardMode) -> Tensor:
        return x.mean(dim=(2, 3))


class Dropout(BaseLayer):
    """Zero values, or entire channels of images, with a probability, and scale up the others; in training only."""

    def __init__(self, probability: float) -> None:
        self._probability = probability

    def forward(self, x: Tensor, weights: WeightReader, mode: ForwardMode) -> Tensor:
        return dropped_out(x, self._probability, mode)


def dropped_out(x: Tensor, probability: float, mode: ForwardMode) -> Tensor:
    """Return values (n, n_values), or channels of images (n, channels, H, W), of which dropout left some out."""
    if not mode.training or mode.noise is None or probability == 0:
        return x
    shape = (len(x), x.shape[1], *(1 for _ in x.shape[2:]))
    kept = mode.noise(shape) >= probability
    return x * (kept.to(x.dtype) / (1 - probability))


class Shortcut(BaseLayer):
    """The parameter-free shortcut of He et al. (2016), option A: every `stride`-th pixel, new channels are zero."""

    def __init__(self, n_in: int, n_out: int, stride: int) -> None:
        self._new, self._stride = n_out - n_in, stride

    def forward(self, x: Tensor, weights: WeightReader, mode: ForwardMode) -> Tensor:
        return F.pad(x[:, :, :: self._stride, :: self._stride], (0, 0, 0, 0, 0, self._new))


class Residual:
    """relu(main(x) + shortcut(x)), the weights of `main` first; an empty shortcut is the identity."""

    def __init__(self, main: Sequence[Layer], shortcut: Sequence[Layer] = ()) -> None:
        self._main, self._shortcut = Chain(main), Chain(shortcut)
        self.tensors = (*self._main.tensors, *self._shortcut.tensors)
        self.normalized = self._main.normalized + self._shortcut.normalized

    def output_shape(self, shape: Shape) -> Shape:
        return self._main.output_shape(shape)

    def multiply_adds(self, shape: Shape) -> int:
        return self._main.multiply_adds(shape) + self._shortcut.multiply_adds(shape)

    def forward(self, x: Tensor, weights: WeightReader, mode: ForwardMode) -> Tensor:
        main = self._main.forward(x, weights, mode)
        return torch.relu_(main + self._shortcut.forward(x, weights, mode))


class Chain:
    """Layers one after the other."""

    def __init__(self, layers: Sequence[Layer]) -> None:
        self._layers = tuple(layers)
        self.tensors = tuple(tensor for layer in layers for tensor in layer.tensors)
        self.normalized = tuple(channels for layer in layers for channels in layer.normalized)

    def _inputs(self, shape: Shape) -> Iterator[tuple[Layer, Shape]]:
        for layer in self._layers:
            yield layer, shape
            shape = layer.output_shape(shape)

    def output_shape(self, shape: Shape) -> Shape:
        for layer in self._layers:
            shape = layer.output_shape(shape)
        return shape

    def multiply_adds(self, shape: Shape) -> int:
        return sum(layer.multiply_adds(of_layer) for layer, of_layer in self._inputs(shape))

    def forward(self, x: Tensor, weights: WeightReader, mode: ForwardMode) -> Tensor:
        for layer in self._layers:
            x = layer.forward(x, weights, mode)
        return x
