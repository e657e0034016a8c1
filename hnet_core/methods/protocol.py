"""What a method is, and what it is given."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

import torch
import torch.nn.functional as F
from torch import Tensor

from hnet_core.hypernets import Hypernet
from hnet_core.streams import Split, StreamShape
from hnet_core.targets import Target
from hnet_core.targets.normalization import Memory
from hnet_core.targets.target import Kind, Normalization
from hnet_core.trial import ComponentOptions, TrainingOptions, TrialConfig, WeightCounts

if TYPE_CHECKING:
    from hnet_core.seed_stack import Place

Predictor = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Problem:
    """What there is to learn and with which networks; a method adds how.

    Attributes:
        shape: tasks, inputs, heads and measure of the stream.
        target: the network that classifies.
        hypernet: the network that generates its weights, None for methods without one.
        training: iterations, batch size and Adam's settings.
        seed: every random draw derives from it by name (seeding.generator).
        place: among seeds that are trained in the same steps, None for one alone; a matter of the engines.
    """

    shape: StreamShape
    target: Target
    hypernet: Hypernet | None
    training: TrainingOptions
    seed: int
    device: torch.device
    dtype: torch.dtype
    place: Place | None = None

    @functools.cached_property
    def memory(self) -> Memory:
        """Running statistics of the target network; a part of what must be kept between tasks."""
        with torch.inference_mode(False):  # evaluation may be what asks first
            return Memory(self.target, self.shape.n_tasks, self.seed, self.device, self.dtype)

    def part(self, first: int, last: int | None = None, normalization: Normalization | None = None) -> Problem:
        """The same with some blocks of the target network only, and a memory of its own; see Target.part."""
        return dataclasses.replace(self, target=self.target.part(first, last, normalization))

    def task_loss(self, task: int, weights: Tensor, inputs: Tensor, labels: Tensor, *, training: bool = True) -> Tensor:
        """Mean cross-entropy over the task's own head (or mean squared error) of one batch, a scalar."""
        outputs = self.outputs(task, weights, inputs, training=training)
        return F.mse_loss(outputs, labels) if self.shape.measure == "mse" else F.cross_entropy(outputs, labels)

    def outputs(self, task: int, weights: Tensor, inputs: Tensor, *, training: bool = False) -> Tensor:
        """Outputs of the task's head, (n, outputs_per_task); training turns dropout on and updates statistics."""
        return self.forward(task, weights, inputs, training=training)[:, self.shape.head(task)]

    def forward(self, task: int, weights: Tensor, inputs: Tensor, *, training: bool = False) -> Tensor:
        """All the target network gives: outputs of all heads, or the features of a part without the last layer."""
        return self.target.forward(inputs, weights, self.memory.of(task, training=training))

    def adam(self, parameters: list[Tensor]) -> torch.optim.Adam:
        """A new Adam with the settings of the trial."""
        betas = (self.training.adam_beta1, self.training.adam_beta2)
        return torch.optim.Adam(parameters, lr=self.training.lr, betas=betas)


class Tensors(Protocol):
    """Some weight tensors of a target network, in its order; a Target is all of its own."""

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]: ...

    @property
    def kinds(self) -> tuple[Kind, ...]: ...


@runtime_checkable
class ReadsTask(Protocol):
    """A method that reads the training examples of a task outside of its steps; run_trial then calls these too."""

    def prepare(self, task: int, train: Split) -> Split:
        """After start_task: what its steps shall be given; `train` itself, or something computed from it."""

    def end_task(self, task: int, train: Split) -> None:
        """After the last step of a task."""


class Method(Protocol):
    """One way to learn a stream of tasks; run_trial calls it in this order for every task.

    start_task(t), then step(t, batch) for each iteration, then predictor(j) for each task to evaluate, then state().

    `hnet_core.methods.base.BaseMethod` has the answers that most methods share.

    Attributes:
        trains_all_tasks_at_once: run_trial then calls start_task(0) once and mixes the batches of all tasks.
        single_head: all tasks share the outputs of the target network, as wide as the widest task; else each has its
            own.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    Options: ClassVar[type[ComponentOptions]]
    trains_all_tasks_at_once: ClassVar[bool]
    single_head: ClassVar[bool]

    def __init__(self, options: Any, problem: Problem) -> None: ...

    @staticmethod
    def uses_hypernet(options: Any) -> bool:
        """Whether this method trains a hypernetwork under these options."""

    @staticmethod
    def generated(options: Any, target: Target) -> Tensors:
        """The tensors of the target network that a hypernetwork has outputs for."""

    @staticmethod
    def unsupported(config: TrialConfig, shape: StreamShape, target: Target) -> str | None:
        """Why it cannot learn this stream in this scenario with this target network; None if it can."""

    @staticmethod
    def counts(options: Any, target: Target, hypernet: Hypernet | None, n_tasks: int) -> WeightCounts:
        """How many weights it needs after `n_tasks` tasks."""

    @staticmethod
    def multiply_adds(options: Any, target: Target, hypernet: Hypernet | None, batch_size: int, task: int) -> int:
        """Multiply-adds of one training step on this task (from 0), forward and backward."""

    def start_task(self, task: int) -> None:
        """Make ready for a task: new optimiser, snapshots."""

    def step(self, task: int, inputs: Tensor, labels: Tensor) -> None:
        """One gradient step on one batch of a task."""

    def predictor(self, task: int) -> Predictor:
        """A function from inputs (n, n_inputs) to the outputs of the task's head, its weights made ready once."""

    def state(self) -> dict[str, Any]:
        """All that must be kept between tasks: tensors, numbers, lists and dicts of them, safe to load."""

    def load_state(self, state: dict[str, Any]) -> None:
        """Go on from a state() saved after a task."""
