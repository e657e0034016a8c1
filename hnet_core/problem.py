"""The learning problem of a method and an engine: stream shape, networks, training options, seed and device."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from hnet_core.hypernets import Hypernet
from hnet_core.optimization.optimizers import Optimizers
from hnet_core.optimization.output_loss import OutputLoss
from hnet_core.streams import StreamShape
from hnet_core.streams.training_heads import Classes, TrainingHeads
from hnet_core.targets import Target
from hnet_core.targets.normalization import RunningStatistics
from hnet_core.targets.target import Kind, Normalization
from hnet_core.trial import Scenario, TrainingOptions

if TYPE_CHECKING:
    from hnet_core.seed_stack import StackMember


Predictor = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Problem:
    """Stream shape, networks and training options of one trial and seed; a method adds the algorithm.

    Attributes:
        shape: tasks, inputs, heads and measure of the stream.
        target: the network that classifies.
        hypernet: the network that generates its weights, None for methods without one.
        training: length, batch size and the optimiser's settings.
        seed: every random draw derives from it by name (seeding.generator).
        member: of a stack of seeds that are trained in the same steps, None for one alone; used by the engines.
        steps: gradient steps of each task; () where nothing is trained.
        optimizers: all those of the run, with the present learning rate.
        scenario: what is known about the task of an example that is to be classified.
        trained_classes: the classes over which the loss of an example is formed.
        loss: of training, in place of the stream's; None for that.
        inputs_gradient: True if the engine also computes the gradient with respect to the inputs.
    """

    shape: StreamShape
    target: Target
    hypernet: Hypernet | None
    training: TrainingOptions
    seed: int
    device: torch.device
    dtype: torch.dtype
    member: StackMember | None = None
    steps: tuple[int, ...] = ()
    optimizers: Optimizers = dataclasses.field(default_factory=Optimizers)
    scenario: Scenario = "task"
    trained_classes: Classes = "own_head"
    loss: OutputLoss | None = None
    inputs_gradient: bool = False

    @functools.cached_property
    def statistics(self) -> RunningStatistics:
        """Running statistics of the target network; to be kept between tasks."""
        with torch.inference_mode(False):  # the first use may be in evaluation
            return RunningStatistics(self.target, self.shape.n_tasks, self.seed, self.device, self.dtype)

    def part(self, first: int, last: int | None = None, normalization: Normalization | None = None) -> Problem:
        """Return the problem of some blocks of the target network, with own running statistics; see Target.part."""
        return dataclasses.replace(self, target=self.target.part(first, last, normalization))

    def with_loss(self, loss: OutputLoss, classes: Classes) -> Problem:
        """Return the problem of the same network, its statistics shared, with another loss of training."""
        changed = dataclasses.replace(self, loss=loss, trained_classes=classes)
        changed.__dict__["statistics"] = self.statistics  # in place of a set of its own
        return changed

    def task_loss(self, task: int, weights: Tensor, inputs: Tensor, labels: Tensor, *, training: bool = True) -> Tensor:
        """Return the mean cross-entropy over the training heads (or mean squared error) of one batch, a scalar.

        In training the targets are those of training.label_smoothing, or the loss is `loss`.

        Args:
            labels: within the task; the targets of `loss` where there is one.
        """
        outputs = self.forward(task, weights, inputs, training=training)[:, self.training_heads.outputs(task)]
        if training and self.loss is not None:
            return self.loss.value(outputs, labels)
        if self.shape.measure == "mse":
            return F.mse_loss(outputs, labels)
        labels = self.training_heads.labels(task, labels)
        return self.cross_entropy(outputs, labels) if training else F.cross_entropy(outputs, labels)

    @functools.cached_property
    def training_heads(self) -> TrainingHeads:
        """The outputs over which examples are classified in training."""
        return TrainingHeads(self.shape, self.trained_classes)

    def cross_entropy(self, outputs: Tensor, labels: Tensor) -> Tensor:
        """Return the mean cross-entropy with soft targets: 1 - s for the label, s / (C - 1) for each other class.

        s is training.label_smoothing, as in the code of von Oswald et al. (2020); torch's own spreads over all C.
        """
        n_classes = outputs.shape[1]
        of_all = self.training.label_smoothing * n_classes / max(1, n_classes - 1)
        return F.cross_entropy(outputs, labels, label_smoothing=of_all)

    def outputs(self, task: int, weights: Tensor, inputs: Tensor, *, training: bool = False) -> Tensor:
        """Return the outputs of the task's head, (n, outputs_per_task); training drops out and updates statistics."""
        return self.forward(task, weights, inputs, training=training)[:, self.shape.head(task)]

    def forward(self, task: int, weights: Tensor, inputs: Tensor, *, training: bool = False) -> Tensor:
        """Return the outputs of all heads, or the features of a part without the last layer."""
        return self.target.forward(inputs, weights, self.statistics.forward_mode(task, training=training))

    @property
    def lr(self) -> float:
        """The present learning rate."""
        return self.training.lr if self.optimizers.lr is None else self.optimizers.lr

    def optimizer(self, parameters: Sequence[Tensor]) -> torch.optim.Optimizer:
        """Return the optimiser of a task: a new one, or with training.reset_optimizer false that of these parameters.

        Args:
            parameters: the same for every task; it leaves those without a gradient as they are.
        """
        return self.optimizers.of_task(self.training, parameters)

    def adam(self, parameters: Sequence[Tensor]) -> torch.optim.Optimizer:
        """Return `optimizer(parameters)`, for methods of other packages that were written before it."""
        return self.optimizer(parameters)


class Tensors(Protocol):
    """Some weight tensors of a target network, in its order; a Target is all of its own."""

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]: ...

    @property
    def kinds(self) -> tuple[Kind, ...]: ...
