"""Options of the output regulariser in a training step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from hnet_core.regularizers.lookahead import EpsilonPlacement

Lookahead = Literal["adam", "sgd", "none"]


@dataclass(frozen=True)
class Protection:
    """The penalty beta * R(theta + dtheta), added to the loss of the current task to protect previous ones (eq. 2).

    Attributes:
        beta: strength.
        lookahead: the definition of dtheta: the optimiser's next step for the task's loss, -lr * gradient, or zero.
        epsilon: see hnet_core.regularizers.lookahead.
        kept: generated weights to regularise for each previous task, bool (n_previous_tasks, n_outputs); None for all.
        n_drawn: number of previous tasks in each step; None for all.
        importance: weight of each squared drift, (n_previous_tasks, n_outputs); None for 1. Plain engine only, as the
            next two.
        differentiates_step: True if the gradient also flows through dtheta, which is then no constant.
        trains_previous: True if the penalty also moves the embeddings of previous tasks; its targets are those of the
            start of the task.
        store_targets: True if the plain engine keeps the weights of previous tasks, False if it generates them again.
    """

    beta: float
    lookahead: Lookahead = "adam"
    epsilon: EpsilonPlacement = "as_optimizer"
    kept: Tensor | None = None
    n_drawn: int | None = None
    importance: Tensor | None = None
    differentiates_step: bool = False
    trains_previous: bool = False
    store_targets: bool = True
