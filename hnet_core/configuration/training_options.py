"""The training block of a configuration: length, batches, optimiser, learning rate, engine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, model_validator

from hnet_core.options import ADDED_LATER, Options


class Plateau(Options):
    """A learning rate that falls whenever the validation measure of the task has stopped improving.

    The rule of torch.optim.lr_scheduler.ReduceLROnPlateau.
    """

    factor: float = Field(0.1, gt=0, lt=1, description="on the learning rate, each time")
    patience: int = Field(5, ge=0, description="validations without an improvement that are still accepted")
    threshold: float = Field(1e-4, ge=0, description="relative change of the measure that counts as an improvement")
    min_lr: float = Field(0.0, ge=0, description="the learning rate falls no further")


class Schedule(Options):
    """The learning rate within a task; every task starts with `lr` again."""

    after: tuple[int, ...] = Field((), description="finished epochs (iterations, where the length is in iterations)")
    factors: tuple[float, ...] = Field((), description="on `lr`, from each entry of `after` on; one for each")
    plateau: Plateau | None = Field(None, description="instead of after and factors: by the validation measure")

    @model_validator(mode="after")
    def _one_kind(self) -> Schedule:
        if (self.plateau is None) == (not self.after and not self.factors):
            raise ValueError("must have either after and factors, or plateau; remove the other, or the whole block")
        if list(self.after) != sorted(set(self.after)) or any(unit < 1 for unit in self.after):
            raise ValueError(f"after must be rising numbers from 1, got {list(self.after)}")
        if len(self.after) != len(self.factors):
            raise ValueError(f"after and factors must be equally long, got {len(self.after)} and {len(self.factors)}")
        if any(factor <= 0 for factor in self.factors):
            raise ValueError(f"factors must be greater than 0, got {list(self.factors)}")
        return self


OptimizerName = Literal["adam", "sgd", "rmsprop"]


class TrainingOptions(Options):
    """Length, batches, optimiser and engine of the training of each task.

    The defaults are those of the official code of von Oswald et al. (2020): a new Adam for every task.
    """

    iterations: int | None = Field(
        2000, ge=1, le=10_000_000, description="gradient steps per task; null where epochs are given"
    )
    epochs: int | None = Field(
        None,
        ge=1,
        le=1_000_000,
        description="passes over the training examples of each task, instead of iterations",
        json_schema_extra=ADDED_LATER,
    )
    batch_size: int = Field(128, ge=1, description="images per step")
    drop_last: bool | None = Field(
        None,
        description="leave out the last batch of an epoch if it is not full; left out: with epochs it is trained as it "
        "is, with iterations it is filled from the next epoch",
        json_schema_extra=ADDED_LATER,
    )
    lr: float = Field(1e-3, gt=0, description="learning rate")
    schedule: Schedule | None = Field(
        None, description="of the learning rate within a task; left out: constant", json_schema_extra=ADDED_LATER
    )
    optimizer: OptimizerName = Field(
        "adam", description="the update rule, as in torch.optim", json_schema_extra=ADDED_LATER
    )
    adam_beta1: float = Field(0.9, ge=0, lt=1, description="decay of Adam's first moment")
    adam_beta2: float = Field(0.999, ge=0, lt=1, description="decay of Adam's second moment")
    momentum: float = Field(0.0, ge=0, lt=1, description="of sgd and rmsprop", json_schema_extra=ADDED_LATER)
    rmsprop_alpha: float = Field(
        0.99, ge=0, lt=1, description="decay of the mean squared gradient of rmsprop", json_schema_extra=ADDED_LATER
    )
    weight_decay: float = Field(
        0.0,
        ge=0,
        description="factor of the trained weights that is added to their gradient",
        json_schema_extra=ADDED_LATER,
    )
    reset_optimizer: bool = Field(
        True,
        description="a new optimiser for every task; false keeps moments and momentum",
        json_schema_extra=ADDED_LATER,
    )
    label_smoothing: float = Field(
        0.0,
        ge=0,
        lt=0.5,
        description="probability that the soft target of an example spreads evenly over the wrong classes of its task",
        json_schema_extra=ADDED_LATER,
    )
    select: Literal["last", "best_validation"] = Field(
        "last",
        description="the weights that a task ends with: the last ones, or the best on its validation split",
        json_schema_extra=ADDED_LATER,
    )
    validation_every: int | None = Field(
        None,
        ge=1,
        description="epochs (or iterations) between validations for plateau and best_validation; left out: every epoch,"
        " or 100 iterations",
        json_schema_extra=ADDED_LATER,
    )
    device: str = Field("auto", pattern=r"^(auto|cpu|cuda(:\d+)?)$", description="auto: a GPU if there is one")
    threads: int = Field(1, ge=1, description="CPU threads of one training process")
    engine: Literal["auto", "plain", "fast"] = Field(
        "auto",
        description="how a step is computed: plain follows the paper, fast gives the same numbers in less time",
    )
    regularizer_form: Literal["auto", "gram", "direct"] = Field(
        "auto", description="how engine fast computes the output regulariser; auto: the form with fewer operations"
    )
    stack_seeds: bool | Literal["auto"] = Field(
        "auto", description="train all seeds of a trial in the same steps; auto: on a GPU only, a CPU gains nothing"
    )

    @model_validator(mode="before")
    @classmethod
    def _epochs_replace_iterations(cls, content: Any) -> Any:
        """Leave `iterations` without its default where epochs are given."""
        if isinstance(content, Mapping) and content.get("epochs") is not None and "iterations" not in content:
            return {**content, "iterations": None}
        return content

    @model_validator(mode="after")
    def _fit_together(self) -> TrainingOptions:
        if (self.iterations is None) == (self.epochs is None):
            got = (
                "neither; give one" if self.epochs is None else f"{self.iterations} and {self.epochs}; set one to null"
            )
            raise ValueError(f"must have either iterations or epochs, got {got}")
        if self.optimizer == "adam" and self.momentum:
            raise ValueError(f"momentum must be 0 with optimizer adam, got {self.momentum:g}; set adam_beta1 instead")
        if self.optimizer != "rmsprop" and self.rmsprop_alpha != 0.99:
            raise ValueError(f"rmsprop_alpha must be left out with optimizer {self.optimizer}")
        if self.validation_every is not None and not self.validates:
            raise ValueError("validation_every must be left out without select best_validation or a plateau schedule")
        return self

    @property
    def plateau(self) -> Plateau | None:
        return None if self.schedule is None else self.schedule.plateau

    @property
    def validates(self) -> bool:
        """True if training reads the validation split."""
        return self.select == "best_validation" or self.plateau is not None


# These change the speed, not the result, and are left out of the configuration hash.
UNHASHED_TRAINING_KEYS = ("device", "threads", "engine", "regularizer_form", "stack_seeds")
