"""Forward and backward pass of a fully connected target network by hand, in buffers allocated once."""

from __future__ import annotations

import torch
from torch import Tensor

from hnet_core.engines.kernels.activations import in_place
from hnet_core.engines.kernels.matmul import product, product_and
from hnet_core.optimization.output_loss import OutputLoss
from hnet_core.streams.training_heads import TrainingHeads
from hnet_core.targets.mlp import Mlp
from hnet_core.targets.target import cut


class MlpGradient:
    """Gradient of the mean cross-entropy (or mean squared error) over the training heads of a task; others get zero.

    Every tensor may have a leading dimension of stacked seeds.

    Args:
        weights: the target's weights, (n_weights,), read at each call.
        gradient: where to write, (n_weights,); may be the memory of the weights.
        label_smoothing: of the targets, see Problem.cross_entropy.
        loss: in place of the cross-entropy or mean squared error.
        wants_inputs_gradient: compute `inputs_gradient` too.

    Attributes:
        inputs_gradient: with respect to the inputs of the last `fill`, (n, n_inputs), in a buffer that stays in place.
    """

    def __init__(
        self,
        target: Mlp,
        heads: TrainingHeads,
        weights: Tensor,
        gradient: Tensor,
        label_smoothing: float = 0.0,
        loss: OutputLoss | None = None,
        *,
        wants_inputs_gradient: bool = False,
    ) -> None:
        activation = in_place(target.activation)
        if activation is None:
            raise ValueError("the activation must be one of hnet_core.activations; use AutogradGradient for others.")
        self._apply_, self._backward_ = activation.apply_, activation.backward_
        self._heads, self._widths = heads, target.widths
        self._loss, self._wants_inputs_gradient = loss, wants_inputs_gradient
        self._label_smoothing = label_smoothing
        self._all_weights, self._all_gradients = cut(weights, target.shapes), cut(gradient, target.shapes)
        self._n_outputs = 0
        self.start_task(0)

    @property
    def recordable(self) -> bool:
        return self._loss is None or self._loss.recordable

    def start_task(self, task: int) -> None:
        head = self._heads.outputs(task)
        self._task = task
        if head.stop - head.start != self._n_outputs:
            self._n_outputs = head.stop - head.start
            self._of_wrong_class = self._label_smoothing / max(1, self._n_outputs - 1)
            self._batch_shape = torch.Size()
            self._buffers: dict[torch.Size, tuple[list[Tensor], list[Tensor], Tensor, Tensor]] = {}
        weights, gradients = _with_head(self._all_weights, head), _with_head(self._all_gradients, head)
        self._of_other_heads = [
            part
            for weight, bias in [self._all_gradients[-2:]]
            for others in (slice(None, head.start), slice(head.stop, None))
            for part in (weight[..., others, :], bias[..., others])
            if part.numel()
        ]
        biases = [bias.unsqueeze(-2) for bias in weights[1::2]]
        self._layers = list(zip(weights[::2], [w.mT for w in weights[::2]], biases, strict=True))
        self._layer_gradients = list(zip(gradients[::2], gradients[1::2], strict=True))

    def fill(self, inputs: Tensor, labels: Tensor) -> None:
        outputs = self.forward(inputs)
        if self._loss is None:
            self._loss_gradient(labels)
        else:
            self._loss.gradient(outputs, labels, self.outputs_gradient)
        self.backward()

    @property
    def outputs_gradient(self) -> Tensor:
        """Buffer for the gradient with respect to the outputs of `forward`, to be filled before `backward`."""
        return self._deltas[-1]

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the outputs of the training heads, (n, n_outputs), in a buffer that stays in place."""
        if inputs.shape != self._batch_shape:
            self._use_buffers(inputs)
        self._inputs, before, last = inputs, inputs, len(self._layers) - 1
        for depth, (_, transposed, bias) in enumerate(self._layers):
            after = self._activations[depth]
            product_and(bias, before, transposed, after)
            if depth < last:
                self._apply_(after)
            before = after
        return before

    def backward(self) -> None:
        """Compute the gradients of the last `forward` from `outputs_gradient`."""
        activations = [self._inputs, *self._activations]
        for depth in range(len(self._layers) - 1, -1, -1):
            after = self._deltas[depth]
            if depth > 0:
                before = self._deltas[depth - 1]
                product(after, self._layers[depth][0], before)
                self._backward_(before, activations[depth])
            elif self._wants_inputs_gradient:
                product(after, self._layers[0][0], self.inputs_gradient)
            of_weight, of_bias = self._layer_gradients[depth]  # from here on the layer's weights may be overwritten
            product(after.mT, activations[depth], of_weight)
            torch.sum(after, dim=-2, out=of_bias)
        for part in self._of_other_heads:
            part.zero_()

    def _loss_gradient(self, labels: Tensor) -> None:
        """Compute the gradient of the mean loss with respect to the outputs of the heads."""
        outputs, delta = self._activations[-1], self._deltas[-1]
        if self._heads.shape.measure == "mse":
            torch.sub(outputs, labels, out=delta)
            delta.mul_(2 / delta.shape[-2:].numel())
        else:
            torch.softmax(outputs, dim=-1, out=delta)
            if self._of_wrong_class:
                delta.sub_(self._of_wrong_class)
            labels = self._heads.labels(self._task, labels)
            delta.scatter_add_(-1, labels.unsqueeze(-1), self._minus_label)
            delta.mul_(1 / outputs.shape[-2])

    def _use_buffers(self, inputs: Tensor) -> None:
        """Take the buffers for a size of batch; those of other sizes stay in place."""
        self._batch_shape = inputs.shape
        if inputs.shape not in self._buffers:
            widths, batch = [*self._widths[1:-1], self._n_outputs], inputs.shape[:-1]
            activations, deltas = ([inputs.new_empty(*batch, width) for width in widths] for _ in range(2))
            minus_label = inputs.new_full((*batch, 1), self._label_smoothing + self._of_wrong_class - 1)
            of_inputs = torch.empty_like(inputs) if self._wants_inputs_gradient else minus_label
            self._buffers[inputs.shape] = activations, deltas, minus_label, of_inputs
        self._activations, self._deltas, self._minus_label, self.inputs_gradient = self._buffers[inputs.shape]


def _with_head(tensors: list[Tensor], head: slice) -> list[Tensor]:
    """Return weights and biases of all layers, of the last one only those of a head."""
    *others, weight, bias = tensors
    return [*others, weight[..., head, :], bias[..., head]]
