"""Input and output of a training run: TrialConfig, TaskReport, TrialResult.

Importing this module needs no torch, so that a spec can be read and a study queried without it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, SerializeAsAny, model_validator

from hnet_core.component_check import check_component
from hnet_core.configuration.corrected_results import corrected_faults
from hnet_core.configuration.method_properties import network_per_task
from hnet_core.configuration.normalization_choice import with_normalization
from hnet_core.configuration.training_options import UNHASHED_TRAINING_KEYS as UNHASHED_TRAINING_KEYS
from hnet_core.configuration.training_options import OptimizerName as OptimizerName
from hnet_core.configuration.training_options import Plateau as Plateau
from hnet_core.configuration.training_options import Schedule as Schedule
from hnet_core.configuration.training_options import TrainingOptions as TrainingOptions
from hnet_core.options import ADDED_LATER, HASHED
from hnet_core.options import ComponentOptions as ComponentOptions
from hnet_core.options import Options as Options
from hnet_core.registry import HYPERNETS, METHODS, STREAMS, TARGETS, TASK_INFERENCE, Registry

# Part of every configuration hash. Increase it where the numbers of all configurations change; where those of some do,
# extend hnet_core.configuration.corrected_results.
RESULT_VERSION = 1

BYTES_PER_WEIGHT = 4  # float32

Measure = Literal["accuracy", "mse"]
Scenario = Literal["task", "domain", "class"]
Matrix = tuple[tuple[float | None, ...], ...]
MATRICES = ("test", "validation", "known_task", "inferred_task", "task_inference", "gradient_cosine")  # of a result


def _of(registry: Registry) -> BeforeValidator:
    """Make what turns a block of a spec into the options of the component that it names."""

    def options_of(value: object) -> object:
        options, complaints = check_component(registry, value)
        if complaints:
            raise ValueError(f"{complaints[0]}.")
        return options

    return BeforeValidator(options_of)


Component = SerializeAsAny[ComponentOptions]


class TrialConfig(Options):
    """One training run, except its seed: stream, scenario, method, target network, hypernetwork, training.

    The three scenarios are those of van de Ven and Tolias (2019), https://arxiv.org/abs/1904.07734.

    Example:
        >>> config = TrialConfig.model_validate({
        ...     "stream": {"name": "split", "dataset": "digits", "n_tasks": 5},
        ...     "method": {"name": "hnet", "beta_output": 0.01},
        ...     "target": {"name": "mlp", "hidden": [20]},
        ...     "hypernet": {"name": "chunked", "chunk_size": 100},
        ... })
        >>> config.training.iterations
        2000
    """

    stream: Annotated[Component, _of(STREAMS)]
    scenario: Scenario = Field(
        "task",
        description="task: the task is known when classifying, a head for each; domain: it is not, one head for all "
        "tasks; class: it is not, the classes of all tasks are told apart",
    )
    method: Annotated[Component, _of(METHODS)]
    target: Annotated[Component, _of(TARGETS)]
    hypernet: Annotated[Component, _of(HYPERNETS)] | None = Field(
        None, description="dropped if the method trains no hypernetwork"
    )
    task_inference: Annotated[Component, _of(TASK_INFERENCE)] | None = Field(
        None,
        description="how the task of an input is found; dropped if one network classifies all tasks",
        json_schema_extra=ADDED_LATER,
    )
    training: TrainingOptions = TrainingOptions()

    @model_validator(mode="after")
    def _match_parts(self) -> TrialConfig:
        if not METHODS[self.method.name].uses_hypernet(self.method):
            object.__setattr__(self, "hypernet", None)
        elif self.hypernet is None:
            known = ", ".join(HYPERNETS)
            raise ValueError(f"method {self.method.name!r} needs a hypernet block; add one with name: {known}.")
        if not network_per_task(self.method):
            object.__setattr__(self, "task_inference", None)
        object.__setattr__(self, "target", with_normalization(self.target, self.method))
        return self

    def hash(self) -> str:
        """Return the identity of the configuration, 16 hex digits; seed, engine, device and threads do not enter."""
        content = self._hashed_content()
        return _hash_of(content, len(corrected_faults(content["method"])))

    def earlier_hashes(self) -> dict[str, str]:
        """Return the hashes of this configuration before its results were corrected, each with what was wrong."""
        content = self._hashed_content()
        faults = corrected_faults(content["method"])
        return {_hash_of(content, n_corrected): fault for n_corrected, fault in enumerate(faults)}

    def _hashed_content(self) -> dict[str, Any]:
        content = self.model_dump(mode="json", context=HASHED)
        for key in UNHASHED_TRAINING_KEYS:
            del content["training"][key]
        return content


def _hash_of(content: Mapping[str, Any], n_corrected: int) -> str:
    corrected = {"corrected_faults": n_corrected} if n_corrected else {}
    text = json.dumps({"result_version": RESULT_VERSION, **corrected, **content}, sort_keys=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class WeightCounts:
    """Weight and operation counts of one method on one stream; every compression figure is derived from them.

    Weights are float32 numbers. docs/compression.md defines the counts per method. None: unknown, in a database row
    written before the count existed.

    Attributes:
        target: weights of one target network, |Theta_trgt|, all its heads included.
        model: all weights needed to run every task after the last one (shared weights, embeddings, frozen parts,
            own target weights); compression_ratio = model / target. Masks of one bit per weight are not counted here.
        hypernet: weights of the hypernetwork with its chunk and task embeddings, 0 where there is none;
            hypernet_ratio = hypernet / target, the ratio published by von Oswald et al. (2020).
        per_task: weights added to `model` by one further task (a task embedding, or an entire network).
        trained: weights of `model` that training changes in any task.
        mask_bits: bits of the masks the model stores, all tasks together.
        memory_bytes: bytes kept from task to task only to learn further ones (replayed data, importance of weights).
        inference: multiply-adds to classify one input once the weights of its task are ready.
        generation: multiply-adds to make the weights of one task ready; 0 if they are stored ready for use.
        generator: weights of the decoder that a method rehearses from, 0 where there is none; not stored in SQL.
        generator_hypernet: weights of the decoder's hypernetwork with its chunk and task embeddings, likewise. What is
            needed only to learn further tasks enters `memory_bytes`, not `model`.
    """

    target: int
    model: int
    hypernet: int
    per_task: int
    trained: int | None = None
    mask_bits: int = 0
    memory_bytes: int = 0
    inference: int | None = None
    generation: int | None = None
    generator: int = 0
    generator_hypernet: int = 0

    @property
    def compression_ratio(self) -> float:
        return self.model / self.target

    @property
    def hypernet_ratio(self) -> float:
        return self.hypernet / self.target

    @property
    def model_bytes(self) -> int:
        """Bytes that store the model after the last task."""
        return BYTES_PER_WEIGHT * self.model + -(-self.mask_bits // 8)


@dataclass(frozen=True)
class TaskReport:
    """The report of one finished task; enough for a learning curve, an ETA and early stopping.

    Attributes:
        task: index of the finished task, from 0.
        n_tasks: tasks in the stream.
        test: measure on the test split of each task after this one, (n_tasks,), None if not evaluated.
        validation: the same on the validation split, None if the stream has none.
        seconds: training time of this task, evaluation excluded.
        checkpoint: everything needed to resume after this task; `run_trial(..., resume=checkpoint)`.
    """

    task: int
    n_tasks: int
    test: tuple[float | None, ...]
    validation: tuple[float | None, ...] | None
    seconds: float
    checkpoint: dict[str, Any] = field(repr=False, compare=False)


@dataclass(frozen=True)
class TrialResult:
    """The raw outcome of one configuration and one seed; every metric is derived from it when it is read.

    Attributes:
        measure: the quantity in the matrices: accuracy in [0, 1] (higher is better) or mse (lower is better).
        test: (n_tasks, n_tasks); row i is the measure on each task's test split after training task i, None where
            not evaluated (tasks not seen yet, or rows of a method that trains all tasks at once). A run that was
            stopped early has only the rows of its trained tasks.
        validation: the same on the validation split, None if the stream has none.
        untrained: the measure of the untrained model on each task's test split, (n_tasks,); the task is known where
            the method has a network for each.
        seconds: training time per task, (n_tasks,), evaluation excluded; a resumed task counts once.
        peak_memory_mib: highest resident memory of the process while this run trained, in MiB.
        device: name of the device, such as "cpu" or "NVIDIA H100".
        data_checksum: sha256 of the data, 16 hex digits.
        known_task: as `test`, with the task of each example known; None if nothing infers the task.
        inferred_task: as `test`, with the task of each example inferred; None if nothing infers the task.
        task_inference: share of the test examples of each task whose task was inferred right; None likewise.
        gradient_cosine: (n_tasks, n_tasks), on the diagonal the cosine of the gradients of loss and regulariser in the
            first epoch of each task, mean over its steps; None if the method has one gradient only.
    """

    config_hash: str
    seed: int
    measure: Measure
    counts: WeightCounts
    test: Matrix
    validation: Matrix | None
    untrained: tuple[float, ...]
    seconds: tuple[float, ...]
    peak_memory_mib: float
    device: str
    threads: int
    data_checksum: str
    known_task: Matrix | None = None
    inferred_task: Matrix | None = None
    task_inference: Matrix | None = None
    gradient_cosine: Matrix | None = None

    @property
    def is_whole(self) -> bool:
        """True if all tasks were trained; a stopped run has fewer rows than tasks."""
        return len(self.test) == len(self.untrained)

    def rows(self, n: int) -> TrialResult:
        """Return the result of a run that was stopped after its first n tasks."""
        return replace(self._with_matrices(lambda matrix: matrix[:n]), seconds=self.seconds[:n])

    def after(self, n_tasks: int) -> TrialResult:
        """Return the result as if the stream had ended after its first tasks; the weight counts stay."""

        def corner(matrix: Matrix) -> Matrix:
            return tuple(row[:n_tasks] for row in matrix[:n_tasks])

        return replace(self._with_matrices(corner), untrained=self.untrained[:n_tasks], seconds=self.seconds[:n_tasks])

    @property
    def matrices(self) -> dict[str, Matrix]:
        """The matrices of the run, by name."""
        found = {name: getattr(self, name) for name in MATRICES}
        return {name: matrix for name, matrix in found.items() if matrix is not None}

    def _with_matrices(self, change: Callable[[Matrix], Matrix]) -> TrialResult:
        changed: dict[str, Any] = {name: change(matrix) for name, matrix in self.matrices.items()}
        return replace(self, **changed)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types, the format of messages from a worker to the driver."""
        return asdict(self)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> TrialResult:
        def matrix(rows: Any) -> Any:
            return None if rows is None else tuple(tuple(row) for row in rows)

        plain = dict(content)
        return cls(
            **{
                **plain,
                "counts": WeightCounts(**plain["counts"]),
                **{name: matrix(plain.get(name)) for name in MATRICES},
                "untrained": tuple(plain["untrained"]),
                "seconds": tuple(plain["seconds"]),
            }
        )
