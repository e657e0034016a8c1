"""The protocol of a method, and its optional parts."""

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
    """A method that reads the training examples of a task outside of its steps; run_trial then also calls these."""

    def prepare(self, task: int, train: Split) -> Split:
        """Return, after start_task, the examples for its steps: `train` itself, or examples computed from it."""

    def end_task(self, task: int, train: Split) -> None:
        """Read the training examples after the last step of a task."""


@runtime_checkable
class GeneratesWeights(Protocol):
    """A method that makes the weights of the target network task by task; `TrainedModel` reads them."""

    def weights(self, task: int) -> Tensor:
        """Return the flat weights that the method makes for a task; (n_weights,) if it makes all of the target's."""

    def task_embeddings(self) -> list[Tensor] | None:
        """Return the embedding of every task, (embedding_size,) each; None without a hypernetwork."""


class Method(Protocol):
    """A continual learning method; run_trial calls it in this order for every task.

    start_task(t), then step(t, batch) for each iteration, then predictor(j) for each task to evaluate, then state().

    `hnet_core.methods.base.BaseMethod` has the defaults that most methods share.

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
        """Return whether this method trains a hypernetwork under these options."""

    @staticmethod
    def generated(options: Any, target: Target) -> Tensors:
        """Return the tensors of the target network that a hypernetwork generates."""

    @staticmethod
    def unsupported(config: TrialConfig, shape: StreamShape, target: Target) -> str | None:
        """Return the reason why it cannot learn this stream in this scenario with this target; None if it can."""

    @staticmethod
    def counts(options: Any, target: Target, hypernet: Hypernet | None, n_tasks: int) -> WeightCounts:
        """Count its weights after `n_tasks` tasks."""

    @staticmethod
    def multiply_adds(options: Any, target: Target, hypernet: Hypernet | None, batch_size: int, task: int) -> int:
        """Count the multiply-adds of one training step on this task (from 0), forward and backward."""

    def start_task(self, task: int) -> None:
        """Prepare for a task: new optimiser, snapshots."""

    def step(self, task: int, inputs: Tensor, labels: Tensor) -> None:
        """Make one gradient step on one batch of a task."""

    def predictor(self, task: int) -> Predictor:
        """Return a function from inputs (n, n_inputs) to the outputs of the task's head, its weights computed once."""

    def state(self) -> dict[str, Any]:
        """Return all state to keep between tasks: tensors, numbers, lists and dicts of them, safe to load.

        In the middle of a task it is saved too. What else changes with the steps of a task is noted with
        `hnet_core.runtime.within_task.note`, as optimisers of `Problem.optimizer` and generators of `seeding` are.
        """

    def load_state(self, state: dict[str, Any]) -> None:
        """Restore a state() saved after a task, or after start_task one saved within the task: in place."""
