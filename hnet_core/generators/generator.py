"""The protocol of a generator, the options all of them share, and their weight counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, Protocol, runtime_checkable

import torch
from pydantic import BeforeValidator, Field, PositiveInt, SerializeAsAny, field_validator
from torch import Tensor

from hnet_core.component_check import component_within
from hnet_core.initialization import InitializationName
from hnet_core.optimization.batches import batches
from hnet_core.optimization.further_training import FurtherTraining
from hnet_core.optimization.optimizers import why_no_flat_adam
from hnet_core.problem import Problem
from hnet_core.registry import GENERATORS, HYPERNETS
from hnet_core.seeding import generator
from hnet_core.streams import Split, StreamShape
from hnet_core.trial import BYTES_PER_WEIGHT, ComponentOptions, TrainingOptions, TrialConfig

Condition = Literal["one_hot", "normal", "none"]
Sampler = Callable[[int, torch.Generator], Tensor]

# The block of a generator, as a field of the options of another component.
GeneratorBlock = Annotated[
    SerializeAsAny[ComponentOptions], BeforeValidator(lambda block: component_within(GENERATORS, block))
]

# The decoder's hypernetwork of von Oswald et al. (2020), App. C, for split MNIST.
HYPERNET: dict[str, Any] = {
    "name": "chunked",
    "hidden": (10, 10),
    "activation": "elu",
    "task_embedding": 96,
    "chunk_embedding": 96,
    "chunk_size": 50_000,
}

# Options of small networks, for the contract test.
TINY: dict[str, Any] = {
    "decoder": (6,),
    "latent": 3,
    "condition_size": 5,
    "hypernet": {"name": "chunked", "hidden": (4,), "task_embedding": 3, "chunk_embedding": 2, "chunk_size": 90},
}


class GeneratorOptions(ComponentOptions):
    """Options of every generator: a fully connected decoder from noise and the condition of a task to inputs."""

    decoder: tuple[PositiveInt, ...] = Field((250, 350), description="widths of the decoder's hidden layers")
    latent: int = Field(100, ge=1, description="numbers of noise that a sample is made from")
    condition: Condition = Field(
        "one_hot",
        description="the decoder's further input, fixed for each task: one_hot (official code), normal (drawn from "
        "N(0, 1), the paper's App. C), or none",
    )
    condition_size: int = Field(100, ge=1, description="length of a condition")
    hypernet: SerializeAsAny[ComponentOptions] | None = Field(
        HYPERNET,
        validate_default=True,
        description="generates the decoder's weights for each task; null: the decoder has weights of its own, which "
        "move on from task to task",
    )
    beta_output: float = Field(
        0.01,
        ge=0,
        description="strength of the output regulariser of the hypernetwork",
        json_schema_extra={"search": {"float": [0.0005, 1.0], "log": True}},
    )
    initialization: InitializationName = Field("xavier", description="of networks with weights of their own")
    iterations: int | None = Field(
        None, ge=1, le=10_000_000, description="gradient steps per task; left out: length of training"
    )
    batch_size: int | None = Field(None, ge=1, description="inputs per step; left out: that of training")
    lr: float | None = Field(None, gt=0, description="learning rate of Adam; left out: that of training")

    @field_validator("hypernet", mode="before")
    @classmethod
    def _resolve_hypernet(cls, value: object) -> object:
        return None if value is None else component_within(HYPERNETS, value)


@dataclass(frozen=True)
class GeneratorCounts:
    """Weight and operation counts of a generator.

    Attributes:
        weights: of the decoder.
        hypernet: of its hypernetwork with chunk and task embeddings, 0 where the decoder has weights of its own.
        kept: all weights kept from task to task, those that are needed in training only included.
        step: multiply-adds of a gradient step on a batch, the output regulariser left out.
        sample: multiply-adds of one sample, once the weights of its task are ready.
        generation: multiply-adds to make the weights of one task ready.
    """

    weights: int
    hypernet: int
    kept: int
    step: int
    sample: int
    generation: int

    @property
    def memory_bytes(self) -> int:
        """Bytes kept from task to task."""
        return BYTES_PER_WEIGHT * self.kept


class Generator(Protocol):
    """A network that learns the inputs of one task after the other, and samples inputs of any task learnt.

    The last task of a stream needs none: nothing is rehearsed after it.

    Attributes:
        options: those it was made with.
        problem: of its decoder, with the training options of the generator.
        n_tasks: tasks it learns, all of the stream but the last.
        tested_options: options that the tests train, one configuration each.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    Options: ClassVar[type[GeneratorOptions]]
    page: ClassVar[str | None]
    tested_options: ClassVar[tuple[dict[str, Any], ...]]
    options: Any
    problem: Problem
    n_tasks: int

    def __init__(self, options: Any, problem: Problem) -> None: ...

    @staticmethod
    def counts(options: Any, n_inputs: int, n_tasks: int, batch_size: int) -> GeneratorCounts:
        """Count its weights on a stream of `n_tasks` tasks."""

    def start_task(self, task: int) -> None:
        """Prepare for a task: new optimisers, snapshots."""

    def step(self, inputs: Tensor, row_weights: Tensor | None = None) -> None:
        """Make one gradient step.

        Args:
            inputs: (n, n_inputs), within [0, 1].
            row_weights: of each input in the loss, (n, 1); None for 1 / n.
        """

    def sampler(self, task: int) -> Sampler:
        """Return a function from a number n and random draws to samples of a task, (n, n_inputs) within [0, 1].

        The weights are computed, and kept, once: later steps do not change what it samples.
        """

    def state(self) -> dict[str, Any]:
        """Return all state to keep between tasks, safe to load."""

    def load_state(self, state: dict[str, Any]) -> None:
        """Restore a state() saved after a task."""


@runtime_checkable
class Rehearses(Protocol):
    """A method, or task inference, that rehearses samples of a generator."""

    generator: Generator


def tells_tasks(options: GeneratorOptions) -> bool:
    """Return whether a generator samples each task by itself, by its condition or generated weights."""
    return options.hypernet is not None or options.condition != "none"


def unsupported(options: Any, config: TrialConfig, shape: StreamShape) -> str | None:
    """Return the reason why a generator cannot learn the inputs of a stream; None if it can."""
    stream: Any = config.stream
    if shape.measure != "accuracy":
        return "generates images with pixels in [0, 1], and the inputs of the stream are other numbers"
    if getattr(stream, "normalization", "none") != "none":
        return f"generates pixels in [0, 1], got stream.normalization {stream.normalization}; set it to none"
    if shape.n_tasks < 2:
        return "rehearses earlier tasks, and the stream has a single one"
    if options.condition == "one_hot" and shape.n_tasks - 1 > options.condition_size:
        return (
            f"needs a condition_size of at least {shape.n_tasks - 1} for one_hot conditions of so many tasks, got "
            f"{options.condition_size}"
        )
    fast = config.training.engine == "fast" and options.hypernet is not None
    reason = why_no_flat_adam(generator_training(options, config.training)) if fast else None
    if reason is not None:
        return f"cannot train the hypernetwork of its generator by training.engine fast: {reason}; use auto or plain"
    return None


def adam_training(
    training: TrainingOptions, iterations: int | None = None, batch_size: int | None = None, lr: float | None = None
) -> TrainingOptions:
    """Return the options for a network that is trained besides the classifier: Adam with a constant learning rate.

    Args:
        training: of the trial; its engine, and all that is not given, hold.
    """
    kept = ("iterations", "epochs", "batch_size", "lr", "adam_beta1", "adam_beta2", "reset_optimizer")
    engine = ("device", "threads", "engine", "regularizer_form")
    given = {"batch_size": batch_size, "lr": lr}
    length = {} if iterations is None else {"iterations": iterations, "epochs": None}
    changed = {key: value for key, value in given.items() if value is not None}
    return TrainingOptions(**{**{key: getattr(training, key) for key in (*kept, *engine)}, **length, **changed})


def generator_training(options: GeneratorOptions, training: TrainingOptions) -> TrainingOptions:
    """Return the training options of a generator in a trial."""
    return adam_training(training, options.iterations, options.batch_size, options.lr)


def training_on(network: Generator, problem: Problem, task: int, train: Split) -> FurtherTraining:
    """Return the training of a generator on the inputs of one task, on their own.

    Args:
        problem: of the trial.
    """
    draws = generator(problem.seed, "generator batches", task)
    return FurtherTraining(
        start=lambda: network.start_task(task),
        indices=batches(network.problem.training, len(train), draws, problem.device),
        step=lambda index: network.step(train.batch(index, problem.dtype)[0]),
    )
