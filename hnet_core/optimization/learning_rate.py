"""The learning rate within a task."""

from __future__ import annotations

from typing import Any

import torch

from hnet_core.trial import TrainingOptions


class LearningRate:
    """The learning rate of a task: constant, lr times factors, or lowered where the validation measure stands still.

    Args:
        higher_is_better: of the validation measure: True for accuracy, False for an error.
    """

    def __init__(self, training: TrainingOptions, *, higher_is_better: bool) -> None:
        self._lr, self._schedule, self._plateau = training.lr, training.schedule, None
        plateau = training.plateau
        if plateau is not None:
            holder = torch.optim.SGD([torch.zeros(())], lr=training.lr)
            self._plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(
                holder,
                mode="max" if higher_is_better else "min",
                factor=plateau.factor,
                patience=plateau.patience,
                threshold=plateau.threshold,
                min_lr=plateau.min_lr,
            )

    def after(self, units: int) -> float:
        """Return the learning rate once so many epochs (or iterations) of the task are finished."""
        if self._plateau is not None:
            return float(self._plateau.optimizer.param_groups[0]["lr"])
        if self._schedule is None:
            return self._lr
        factors = zip(self._schedule.after, self._schedule.factors, strict=True)
        return self._lr * next((factor for begin, factor in reversed(list(factors)) if begin <= units), 1.0)

    def state(self) -> dict[str, Any] | None:
        """Return what the measures so far have led to; None where they do not count."""
        if self._plateau is None:
            return None
        return {"plateau": self._plateau.state_dict(), "lr": self.after(0)}

    def load_state(self, state: dict[str, Any] | None) -> None:
        """Put a state() in place."""
        if self._plateau is not None and state is not None:
            self._plateau.load_state_dict(state["plateau"])
            self._plateau.optimizer.param_groups[0]["lr"] = state["lr"]

    def see(self, measure: float) -> None:
        """Take a validation measure into account."""
        if self._plateau is not None:
            self._plateau.step(measure)
