"""What a method is, and what it is given."""

from __future__ import annotations

from typing import Any, ClassVar, Protocol, runtime_checkable

from torch import Tensor

from hnet_core.hypernets import Hypernet
from hnet_core.problem import Predictor, Problem, Tensors
from hnet_core.streams import Split, StreamShape
from hnet_core.targets import Target
from hnet_core.trial import ComponentOptions, TrialConfig, WeightCounts


@runtime_checkable
class ReadsTask(Protocol):
    """A method that reads the training examples of a task outside of its steps; run_trial then calls these too."""

    def prepare(self, task: int, train: Split) -> Split:
        """After start_task: what its steps shall be given; `train` itself, or something computed from it."""

    def end_task(self, task: int, train: Split) -> None:
        """After the last step of a task."""


@runtime_checkable
class GeneratesWeights(Protocol):
    """A method that makes the weights of the target network task by task; `TrainedModel` reads them."""

    def weights(self, task: int) -> Tensor:
        """Return the flat weights that the method makes for a task; (n_weights,) if it makes all of the target's."""

    def task_embeddings(self) -> list[Tensor] | None:
        """Return the embedding of every task, (embedding_size,) each; None without a hypernetwork."""


class Method(Protocol):
    """One way to learn a stream of tasks; run_trial calls it in this order for every task.

    start_task(t), then step(t, batch) for each iteration, then predictor(j) for each task to evaluate, then state().

    `hnet_core.methods.base.BaseMethod` has the answers that most methods share.

    Attributes:
        trains_all_tasks_at_once: run_trial then calls start_task(0) once and mixes the batches of all tasks.
        single_head: all tasks share the outputs of the target network, as wide as the widest task; else each has its
            own.
        page: name of a page in docs/methods that describes the method, without .md; None without one.
        tested_options: options that the contract test trains, one configuration each; `({},)` for the defaults only.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    Options: ClassVar[type[ComponentOptions]]
    trains_all_tasks_at_once: ClassVar[bool]
    single_head: ClassVar[bool]
    page: ClassVar[str | None]
    tested_options: ClassVar[tuple[dict[str, Any], ...]]

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
