"""Training options that change nothing in a task of the length that is given."""

from __future__ import annotations

from hnet_core.optimization.task_course import ITERATIONS_BETWEEN_VALIDATIONS
from hnet_core.trial import TrainingOptions


def idle_training(training: TrainingOptions) -> dict[str, str]:
    """Return the options without effect, in words by dotted key; empty for none."""
    length = training.epochs or training.iterations or 0
    a_task = f"a task has {length} {'iteration' if training.epochs is None else 'epoch'}{'' if length == 1 else 's'}"
    found = {}
    late = [after for after in training.schedule.after if after >= length] if training.schedule is not None else []
    if late:
        numbers = f"{' and '.join(map(str, late))} {'is' if len(late) == 1 else 'are'}"
        found["training.schedule.after"] = f"training.schedule.after {numbers} never reached: {a_task}"
    between = 1 if training.epochs is not None else ITERATIONS_BETWEEN_VALIDATIONS
    if training.validates and (training.validation_every or between) >= length:
        given = f"{between} where it is left out" if training.validation_every is None else training.validation_every
        what = "select best_validation" if training.select == "best_validation" else "schedule.plateau"
        found["training.validation_every"] = (
            f"training.{what} changes nothing: {a_task}, and validation_every, {given}, leads to a single validation, "
            "at its end"
        )
    return found
