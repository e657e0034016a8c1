"""The optimisers of a run: one learning rate for all, and new for every task, or kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol
from weakref import WeakSet

import torch
from torch import Tensor
from torch.utils._pytree import tree_map

from hnet_core.runtime import within_task
from hnet_core.trial import TrainingOptions


class Moments(Protocol):
    """An optimiser of an engine that a run keeps over its tasks; its state has the form of torch's."""

    def state(self) -> dict[int, Any]:
        """Return step, exp_avg and exp_avg_sq of every parameter by its position; safe to load."""

    def load_state(self, state: dict[int, Any]) -> None:
        """Restore a state()."""


class Optimizers:
    """All optimisers of one run.

    Attributes:
        lr: the present learning rate; None before it has been set: that of the trial.
    """

    def __init__(self) -> None:
        self.lr: float | None = None
        self._all: WeakSet[torch.optim.Optimizer] = WeakSet()
        self._kept: list[torch.optim.Optimizer | Moments] = []
        self._restored: list[dict[int, Any]] = []

    def of_task(self, training: TrainingOptions, parameters: Sequence[Tensor]) -> torch.optim.Optimizer:
        """Return a new optimiser of these parameters, or where the trial keeps them the one made before.

        Raises:
            ValueError: a kept optimiser has some of them only.
        """
        for kept in self._kept if not training.reset_optimizer else ():
            if not isinstance(kept, torch.optim.Optimizer):
                continue
            own = [id(parameter) for group in kept.param_groups for parameter in group["params"]]
            if own == [id(parameter) for parameter in parameters]:
                _note(kept)
                return kept
            if not set(own).isdisjoint(id(parameter) for parameter in parameters):
                raise ValueError("parameters must be the same for every task where training.reset_optimizer is false.")
        optimizer = new_optimizer(training, parameters, training.lr if self.lr is None else self.lr)
        self._all.add(optimizer)
        if not training.reset_optimizer:
            self._kept.append(optimizer)
            if self._restored:
                _load_moments(optimizer, self._restored.pop(0))
        _note(optimizer)
        return optimizer

    def keep(self, moments: Moments) -> None:
        """Keep an optimiser of an engine over the tasks, and restore its state in a run that is resumed."""
        self._kept.append(moments)
        if self._restored:
            moments.load_state(self._restored.pop(0))

    def set_lr(self, lr: float) -> None:
        """Set the learning rate of present and later optimisers."""
        self.lr = lr
        for optimizer in self._all:
            for group in optimizer.param_groups:
                group["lr"] = lr

    def state(self) -> list[dict[int, Any]]:
        """Return moments and momenta of the kept optimisers, in the order they were made; safe to load.

        Those that were restored and not made again are among them: a task may have no use for them.
        """
        made = [
            _moments(kept) if isinstance(kept, torch.optim.Optimizer) else tree_map(_copy, kept.state())
            for kept in self._kept
        ]
        return [*made, *self._restored]

    def load_state(self, state: list[dict[int, Any]]) -> None:
        """Restore a state() into the optimisers that are kept, and the rest of it into those that will be made."""
        for kept, moments in zip(self._kept, state, strict=False):
            if isinstance(kept, torch.optim.Optimizer):
                _load_moments(kept, moments)
            else:
                kept.load_state(moments)
        self._restored = list(state[len(self._kept) :])


def new_optimizer(training: TrainingOptions, parameters: Sequence[Tensor], lr: float) -> torch.optim.Optimizer:
    """Return a new optimiser of torch with the settings of the trial; what they do not name is torch's default."""
    decay, momentum = training.weight_decay, training.momentum
    if training.optimizer == "sgd":
        return torch.optim.SGD(parameters, lr=lr, momentum=momentum, weight_decay=decay)
    if training.optimizer == "rmsprop":
        return torch.optim.RMSprop(
            parameters, lr=lr, alpha=training.rmsprop_alpha, momentum=momentum, weight_decay=decay
        )
    betas = (training.adam_beta1, training.adam_beta2)
    return torch.optim.Adam(parameters, lr=lr, betas=betas, weight_decay=decay)


def why_no_flat_adam(training: TrainingOptions, *, keeps: bool = False) -> str | None:
    """Return the reason why the Adam of the fast engines cannot stand for the trial's optimiser; None if it can.

    Args:
        keeps: the engine can keep its Adam over the tasks.
    """
    if training.optimizer != "adam":
        return f"its steps are Adam's, got optimizer {training.optimizer}"
    if training.weight_decay:
        return f"its steps have no weight decay, got weight_decay {training.weight_decay:g}"
    if not training.reset_optimizer and not keeps:
        return "it makes a new optimiser for every task, got reset_optimizer false"
    return None


def _note(optimizer: torch.optim.Optimizer) -> None:
    within_task.note(lambda: _moments(optimizer), lambda moments: _load_moments(optimizer, moments))


def _moments(optimizer: torch.optim.Optimizer) -> dict[int, Any]:
    moments: dict[int, Any] = tree_map(_copy, optimizer.state_dict()["state"])
    return moments


def _load_moments(optimizer: torch.optim.Optimizer, moments: dict[int, Any]) -> None:
    optimizer.load_state_dict({"state": moments, "param_groups": optimizer.state_dict()["param_groups"]})


def _copy(leaf: Any) -> Any:
    return leaf.detach().cpu().clone() if isinstance(leaf, Tensor) else leaf
