"""Costs that quality can be traded for: the x axis of a trade-off, one entry per metric."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hnet_core.errors import ConfigInvalid
from hnet_core.registry import did_you_mean
from studies.metrics.definitions import METRICS, SELECTED_BY

MIB = 2.0**20


@dataclass(frozen=True)
class CostAxis:
    """A metric that is better the smaller it is, with its words and its unit.

    Attributes:
        metric: its name in METRICS, and its column in every CSV.
        name: in a sentence, such as "training time".
        word: shorter, in tables and lists, such as "time".
        meaning: the text along the axis, without unit and scale.
        unit: of the numbers that are shown, "" where they have none.
        unit_size: how many of the stored unit make one of it, such as 2**20 bytes.
        is_storage: it counts stored weights or bytes, so that less of it is smaller rather than cheaper.
        reference: a cost to compare with, and the label of the line drawn there.
    """

    metric: str
    name: str
    word: str
    meaning: str
    unit: str = ""
    unit_size: float = 1.0
    is_storage: bool = False
    reference: tuple[float, str] | None = None

    @property
    def is_log(self) -> bool:
        """Return whether equal factors get equal lengths; forgetting can be negative, so its differences do."""
        return METRICS[self.metric].kind != "matrix"

    @property
    def label(self) -> str:
        """The text along the axis."""
        return self._with_notes(self.meaning)

    @property
    def short_label(self) -> str:
        """The text along the axis of a small chart."""
        return self._with_notes(self.name)

    def _with_notes(self, text: str) -> str:
        notes = ", ".join(note for note in (self.unit, "log scale" if self.is_log else "") if note)
        return f"{text} ({notes})" if notes else text

    @property
    def heading(self) -> str:
        """The heading of its column."""
        return f"{self.word} ({self.unit})" if self.unit else self.word

    @property
    def key(self) -> str:
        """The part of a CSV column that names it, as in `best_ratio` or `best_seconds`."""
        return "ratio" if self == COMPRESSION else self.metric

    @property
    def subject(self) -> str:
        """The word that titles are made of: compression, or its name."""
        return "compression" if self == COMPRESSION else self.name

    @property
    def smaller(self) -> str:
        """The comparative of a lower cost."""
        return "smaller" if self.is_storage else "cheaper"

    @property
    def smallest(self) -> str:
        """The superlative of a lower cost."""
        return "smallest" if self.is_storage else "cheapest"


_AS_LARGE = (1.0, "ratio 1: as large as the target network")

COMPRESSION = CostAxis(
    "compression_ratio",
    "compression ratio",
    "ratio",
    "compression ratio: weights to run every task / weights of one target network",
    is_storage=True,
    reference=_AS_LARGE,
)

COST_AXES: Mapping[str, CostAxis] = {
    axis.metric: axis
    for axis in (
        COMPRESSION,
        CostAxis(
            "hypernet_ratio",
            "hypernetwork ratio",
            "hypernetwork ratio",
            "hypernetwork ratio: weights of the hypernetwork / weights of one target network",
            is_storage=True,
            reference=_AS_LARGE,
        ),
        CostAxis(
            "model_weights",
            "number of model weights",
            "model weights",
            "weights needed to run every task",
            is_storage=True,
        ),
        CostAxis(
            "hypernet_weights",
            "number of hypernetwork weights",
            "hypernetwork weights",
            "weights of the hypernetwork with its embeddings",
            is_storage=True,
        ),
        CostAxis(
            "target_weights",
            "number of target weights",
            "target weights",
            "weights of one target network",
            is_storage=True,
        ),
        CostAxis(
            "trained_weights",
            "number of trained weights",
            "trained weights",
            "model weights that training changes",
            is_storage=True,
        ),
        CostAxis(
            "weights_per_task",
            "number of weights per further task",
            "weights per task",
            "weights that one further task adds",
            is_storage=True,
        ),
        CostAxis(
            "model_bytes",
            "model size",
            "model size",
            "model size: storage of the model after the last task",
            "MiB",
            MIB,
            is_storage=True,
        ),
        CostAxis(
            "memory_bytes",
            "memory between tasks",
            "memory",
            "memory kept from task to task only to learn further ones",
            "MiB",
            MIB,
        ),
        CostAxis(
            "inference_multiply_adds",
            "inference cost",
            "inference",
            "operations to classify one input",
            "multiply-adds",
        ),
        CostAxis(
            "generation_multiply_adds",
            "generation cost",
            "generation",
            "operations to generate the weights of one task",
            "multiply-adds",
        ),
        CostAxis("seconds", "training time", "time", "training time of all tasks", "s"),
        CostAxis("peak_memory_mib", "peak memory", "peak memory", "peak memory of the training process", "MiB"),
        CostAxis("forgetting", "forgetting", "forgetting", METRICS["forgetting"].label),
        CostAxis("forgetting_first", "forgetting", "forgetting", METRICS["forgetting_first"].label),
        CostAxis("forgetting_mammoth", "forgetting", "forgetting", METRICS["forgetting_mammoth"].label),
    )
}


def cost_axis(metric: str) -> CostAxis:
    """Return the axis of a metric; raises ConfigInvalid if it is no cost."""
    found = COST_AXES.get(metric)
    if found is None:
        guess = did_you_mean(metric, COST_AXES, all_in="docs/schema.md")
        raise ConfigInvalid(f"the axis of a trade-off must be a cost of a trial, got {metric!r}{guess}.")
    return found


def axis_of_objectives(objectives: Mapping[str, str]) -> CostAxis:
    """Return the axis of a study: the compression ratio where that is an objective or none other is a cost.

    Of several minimised costs it is the first.
    """
    minimised = [name for name, direction in objectives.items() if direction == "minimize" and name not in SELECTED_BY]
    if COMPRESSION.metric in minimised:
        return COMPRESSION
    return next((COST_AXES[name] for name in minimised if name in COST_AXES), COMPRESSION)
