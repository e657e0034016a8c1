"""The course of one task: learning rate, validations, and the choice of the weights it ends with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hnet_core.errors import UnsupportedTrial
from hnet_core.optimization.learning_rate import LearningRate
from hnet_core.optimization.optimizers import Optimizers
from hnet_core.runtime import within_task
from hnet_core.streams import StreamShape
from hnet_core.trial import ComponentOptions, Measure, TrainingOptions, TrialConfig

ITERATIONS_BETWEEN_VALIDATIONS = 100


class TaskCourse:
    """Counts the steps of one task, sets the learning rate before each, and validates after some.

    The last step is always validated. Of equally good weights the earliest are chosen.

    Args:
        steps_per_unit: steps of an epoch, or of an iteration where the length is given in iterations.
        n_steps: of the task.
        validate: returns the measure on the task's validation split.
        state, load_state: of all that training changes, without the optimisers.
    """

    def __init__(
        self,
        training: TrainingOptions,
        optimizers: Optimizers,
        measure: Measure,
        *,
        steps_per_unit: int,
        n_steps: int,
        validate: Callable[[], float],
        state: Callable[[], Any],
        load_state: Callable[[Any], None],
    ) -> None:
        self._training, self._optimizers = training, optimizers
        self._sign = 1.0 if measure == "accuracy" else -1.0
        self._rate = LearningRate(training, higher_is_better=measure == "accuracy")
        self._per_unit, self._n_steps, self._done = steps_per_unit, n_steps, 0
        self._between = _steps_between_validations(training, steps_per_unit)
        self._validate, self._state, self._load_state = validate, state, load_state
        self._best: tuple[float, Any] | None = None
        within_task.note(self._position, self._go_to)
        self._set_lr()

    def before_step(self) -> None:
        self._set_lr()

    def after_step(self) -> None:
        self._done += 1
        if not self._training.validates or (self._done % self._between and self._done < self._n_steps):
            return
        value = self._validate()
        self._rate.see(value)
        if self._training.select == "best_validation" and (
            self._best is None or self._sign * value > self._sign * self._best[0]
        ):
            self._best = value, self._state()

    def finish(self) -> None:
        """Put the chosen weights in place."""
        if self._best is not None:
            self._load_state(self._best[1])
            self._best = None

    def _position(self) -> list[Any]:
        return [self._done, self._best, self._rate.state()]

    def _go_to(self, position: list[Any]) -> None:
        self._done, self._best, rate = position
        self._rate.load_state(rate)

    def _set_lr(self) -> None:
        if self._training.schedule is not None:
            self._optimizers.set_lr(self._rate.after(self._done // self._per_unit))


def n_validations(training: TrainingOptions, n_steps: int) -> int:
    """Return how often a task of so many steps is validated in training."""
    steps_per_unit = n_steps // (training.epochs or n_steps)
    return -(-n_steps // _steps_between_validations(training, steps_per_unit)) if training.validates else 0


def _steps_between_validations(training: TrainingOptions, steps_per_unit: int) -> int:
    units = 1 if training.epochs is not None else ITERATIONS_BETWEEN_VALIDATIONS
    return steps_per_unit * (training.validation_every or units)


def check_training(config: TrialConfig, shape: StreamShape) -> None:
    """Refuse options that the stream, or the optimiser, has no use for.

    Raises:
        UnsupportedTrial: soft targets without a second class, or moments of Adam where nothing is trained by it.
    """
    training = config.training
    for key in ("adam_beta1", "adam_beta2") if not _trains_with_adam(config) else ():
        value, default = getattr(training, key), TrainingOptions.model_fields[key].default
        if value != default:  # a stored configuration has all defaults
            raise UnsupportedTrial(
                f"training.{key} must be left out with optimizer {training.optimizer}, got {value:g}.",
                key=f"training.{key}",
            )
    if training.label_smoothing and (shape.measure != "accuracy" or shape.outputs_per_task < 2):
        why = "the targets are numbers" if shape.measure != "accuracy" else "a task has a single class"
        raise UnsupportedTrial(
            f"training.label_smoothing must be 0 where {why}, got {training.label_smoothing:g}.",
            key="training.label_smoothing",
        )


def _trains_with_adam(config: TrialConfig) -> bool:
    """Return whether Adam trains anything: generators, and networks that infer the task, always take it."""
    parts = (config.method, config.task_inference)
    return config.training.optimizer == "adam" or any(hasattr(part, "generator") for part in parts)


def may_validate(stream: ComponentOptions) -> bool:
    """Return whether a stream can hold out a validation split: not if its options say so, else its data decide."""
    return getattr(stream, "validation", None) != 0


def check_validation(training: TrainingOptions, *, has_validation: bool) -> None:
    """Refuse to choose by the validation split where there is none; the test split is never chosen by.

    Raises:
        UnsupportedTrial: there is none.
    """
    if training.validates and not has_validation:
        what = "select best_validation" if training.select == "best_validation" else "schedule.plateau"
        raise UnsupportedTrial(
            f"training.{what} needs a validation split, and the stream holds none out; set stream.validation, such as "
            "0.1, or remove it.",
            key="training.select" if training.select == "best_validation" else "training.schedule",
        )
