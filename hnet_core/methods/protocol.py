"""The protocol of a method, and its optional parts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Protocol, runtime_checkable

from torch import Tensor

from hnet_core.hypernets import Hypernet
from hnet_core.optimization.further_training import FurtherTraining
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
class TrainsAfterwards(Protocol):
    """A method, or task inference, that trains further networks once its own steps on a task are done."""

    def training_after(self, task: int, train: Split) -> Sequence[FurtherTraining]:
        """Return the training of each of them on the examples of the task, in their order."""


@runtime_checkable
class ReadsEarlierTasks(Protocol):
    """A method that trains on the data of all tasks so far, which continual learning rules out: an upper bound."""

    def read_earlier(self, earlier: Sequence[Split]) -> None:
        """Take the training examples of the tasks before the one that starts next, in their order."""


@runtime_checkable
class GeneratesWeights(Protocol):
    """A method that makes the weights of the target network task by task; `TrainedModel` reads them."""

    def weights(self, task: int) -> Tensor:
        """Return the flat weights that the method makes for a task; (n_weights,) if it makes all of the target's."""

    def task_embeddings(self) -> list[Tensor] | None:
        """Return the embedding of every task, (embedding_size,) each; None without a hypernetwork."""


@runtime_checkable
class FreezesBlocks(Protocol):
    """A method whose first blocks have weights of their own, before those of `GeneratesWeights`."""

    def frozen_weights(self) -> Tensor:
        """Return the flat weights of these blocks, the first of the target network's, (n_frozen,)."""


@runtime_checkable
class MeasuresGradientCosines(Protocol):
    """A method with a gradient of the task's loss and one of a regulariser.

    Attributes:
        gradient_cosines: for each finished task the cosine of the two at every step of its first epoch; empty for a
            task without a regulariser.
    """

    gradient_cosines: list[list[float]]


@runtime_checkable
class GivesFeatures(Protocol):
    """A method that gives the features of its networks; task inference by classes in features reads them."""

    def feature_extractor(self, task: int) -> Predictor:
        """Return a function from inputs (n, n_inputs) to features before the heads, (n, n_features), by the network of
        the task, its weights computed once."""


class Method(Protocol):
    """A continual learning method; run_trial calls it in this order for every task.

    start_task(t), then step(t, batch) for each iteration, then predictor(j) for each task to evaluate, then state().

    `hnet_core.methods.base.BaseMethod` has the defaults that most methods share.

    Attributes:
        separate_networks: the network of every task has weights of its own from the start.
        trains_all_tasks_at_once: run_trial then calls start_task(0) once and mixes the batches of all tasks.
        single_head: all tasks share the outputs of the target network, as wide as the widest task; else each has its
            own.
        uses_engine: the steps of hnet_core.engines train its weights; training.engine fast is then refused before
            training where the fast engine has no such steps.
        page: name of a page in docs/methods that describes the method, without .md; None without one.
        tested_options: options that the contract test trains, one configuration each; `({},)` for the defaults only.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    Options: ClassVar[type[ComponentOptions]]
    separate_networks: ClassVar[bool]
    trains_all_tasks_at_once: ClassVar[bool]
    single_head: ClassVar[bool]
    uses_engine: ClassVar[bool]
    page: ClassVar[str | None]
    tested_options: ClassVar[tuple[dict[str, Any], ...]]

    def __init__(self, options: Any, problem: Problem) -> None: ...

    @staticmethod
    def uses_hypernet(options: Any) -> bool:
        """Return whether this method trains a hypernetwork under these options."""

    @classmethod
    def network_per_task(cls, options: Any) -> bool:
        """Return whether each task is classified by a network of its own, so that the task must be known or inferred.

        In scenarios domain and class such a method needs a task_inference block.
        """

    @classmethod
    def keeps_networks(cls, options: Any) -> bool:
        """Return whether the network of a task stays as it was while later tasks are learnt.

        Only then do statistics of batch normalisation per task fit (hnet_core.configuration.normalization_choice).
        """

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

    def seen_predictor(self, n_seen: int) -> Predictor:
        """Return a function from inputs (n, n_inputs) to the outputs of the first tasks, (n, n_seen * C), at once.

        For a method with one network, in scenario class.
        """

    def state(self) -> dict[str, Any]:
        """Return all state to keep between tasks: tensors, numbers, lists and dicts of them, safe to load.

        In the middle of a task it is saved too. What else changes with the steps of a task is noted with
        `hnet_core.runtime.within_task.note`, as optimisers of `Problem.optimizer` and generators of `seeding` are.
        """

    def load_state(self, state: dict[str, Any]) -> None:
        """Restore a state() saved after a task, or after start_task one saved within the task: in place."""
