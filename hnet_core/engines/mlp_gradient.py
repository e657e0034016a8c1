"""Forward and backward pass of a fully connected target network by hand, in buffers made once."""

from __future__ import annotations

import torch
from torch import Tensor

from hnet_core.engines.activations import in_place
from hnet_core.streams import StreamShape
from hnet_core.targets.mlp import Mlp
from hnet_core.targets.target import cut


class MlpGradient:
    """Gradient of the mean cross-entropy (or mean squared error) of one task's head; other heads get zero.

    Args:
        weights: the target's weights, (n_weights,), read at each call.
        gradient: where to write, (n_weights,).
    """

    def __init__(self, target: Mlp, shape: StreamShape, weights: Tensor, gradient: Tensor) -> None:
        activation = in_place(target.activation)
        if activation is None:
            raise ValueError("the activation must be one of hnet_core.activations; use AutogradGradient for others.")
        self._apply_, self._backward_ = activation.apply_, activation.backward_
        self._shape, self._widths, self._gradient = shape, target.widths, gradient
        self._all_weights, self._all_gradients = cut(weights, target.shapes), cut(gradient, target.shapes)
        self._batch_size = 0
        self.start_task(0)

    def start_task(self, task: int) -> None:
        head = self._shape.head(task)
        self._gradient.zero_()  # of other heads; nothing else is left unwritten
        weights = [*self._all_weights[:-2], *(part[head] for part in self._all_weights[-2:])]
        gradients = [*self._all_gradients[:-2], *(part[head] for part in self._all_gradients[-2:])]
        self._layers = list(zip(weights[::2], [w.T for w in weights[::2]], weights[1::2], strict=True))
        self._layer_gradients = list(zip(gradients[::2], gradients[1::2], strict=True))

    def fill(self, inputs: Tensor, labels: Tensor) -> None:
        if len(inputs) != self._batch_size:
            self._make_buffers(inputs)
        activations = [inputs, *self._activations]
        last = len(self._layers) - 1
        for depth, (_, transposed, bias) in enumerate(self._layers):
            torch.addmm(bias, activations[depth], transposed, out=activations[depth + 1])
            if depth < last:
                self._apply_(activations[depth + 1])
        self._loss_gradient(labels)
        for depth in range(last, -1, -1):
            after = self._deltas[depth]
            of_weight, of_bias = self._layer_gradients[depth]
            torch.mm(after.T, activations[depth], out=of_weight)
            torch.sum(after, dim=0, out=of_bias)
            if depth > 0:
                before = self._deltas[depth - 1]
                torch.mm(after, self._layers[depth][0], out=before)
                self._backward_(before, activations[depth])

    def _loss_gradient(self, labels: Tensor) -> None:
        """Gradient of the mean loss with respect to the outputs of the head."""
        outputs, delta = self._activations[-1], self._deltas[-1]
        if self._shape.measure == "mse":
            torch.sub(outputs, labels, out=delta)
            delta.mul_(2 / delta.numel())
        else:
            torch.softmax(outputs, dim=1, out=delta)
            delta.scatter_add_(1, labels.unsqueeze(1), self._minus_one)
            delta.mul_(1 / len(outputs))

    def _make_buffers(self, inputs: Tensor) -> None:
        self._batch_size = len(inputs)
        widths = [*self._widths[1:-1], self._shape.outputs_per_task]
        self._activations = [inputs.new_empty(len(inputs), width) for width in widths]
        self._deltas = [inputs.new_empty(len(inputs), width) for width in widths]
        self._minus_one = inputs.new_full((len(inputs), 1), -1.0)
