"""The learning problem of a method and an engine: stream shape, networks, training options, seed and device."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from hnet_core.hypernets import Hypernet
from hnet_core.streams import StreamShape
from hnet_core.targets import Target
from hnet_core.targets.normalization import RunningStatistics
from hnet_core.targets.target import Kind, Normalization
from hnet_core.trial import TrainingOptions

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
        training: iterations, batch size and Adam's settings.
        seed: every random draw derives from it by name (seeding.generator).
        member: of a stack of seeds that are trained in the same steps, None for one alone; used by the engines.
    """

    shape: StreamShape
    target: Target
    hypernet: Hypernet | None
    training: TrainingOptions
    seed: int
    device: torch.device
    dtype: torch.dtype
    member: StackMember | None = None

    @functools.cached_property
    def statistics(self) -> RunningStatistics:
        """Running statistics of the target network; to be kept between tasks."""
        with torch.inference_mode(False):  # the first use may be in evaluation
            return RunningStatistics(self.target, self.shape.n_tasks, self.seed, self.device, self.dtype)

    def part(self, first: int, last: int | None = None, normalization: Normalization | None = None) -> Problem:
        """Return the problem of some blocks of the target network, with own running statistics; see Target.part."""
        return dataclasses.replace(self, target=self.target.part(first, last, normalization))

    def task_loss(self, task: int, weights: Tensor, inputs: Tensor, labels: Tensor, *, training: bool = True) -> Tensor:
        """Return the mean cross-entropy over the task's own head (or mean squared error) of one batch, a scalar."""
        outputs = self.outputs(task, weights, inputs, training=training)
        return F.mse_loss(outputs, labels) if self.shape.measure == "mse" else F.cross_entropy(outputs, labels)

    def outputs(self, task: int, weights: Tensor, inputs: Tensor, *, training: bool = False) -> Tensor:
        """Return the outputs of the task's head, (n, outputs_per_task); training drops out and updates statistics."""
        return self.forward(task, weights, inputs, training=training)[:, self.shape.head(task)]

    def forward(self, task: int, weights: Tensor, inputs: Tensor, *, training: bool = False) -> Tensor:
        """Return the outputs of all heads, or the features of a part without the last layer."""
        return self.target.forward(inputs, weights, self.statistics.forward_mode(task, training=training))

    def adam(self, parameters: list[Tensor]) -> torch.optim.Adam:
        """Return a new Adam with the settings of the trial."""
        betas = (self.training.adam_beta1, self.training.adam_beta2)
        return torch.optim.Adam(parameters, lr=self.training.lr, betas=betas)


class Tensors(Protocol):
    """Some weight tensors of a target network, in its order; a Target is all of its own."""

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]: ...

    @property
    def kinds(self) -> tuple[Kind, ...]: ...
