"""Options of the output regulariser as a training step takes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from hnet_core.regularizers.lookahead import EpsilonPlacement

Lookahead = Literal["adam", "sgd", "none"]


@dataclass(frozen=True)
class Protection:
    """beta * R(theta + dtheta), added to the loss of the current task to hold on to previous ones (eq. 2).

    Attributes:
        beta: strength.
        lookahead: what dtheta is: the optimiser's next step for the task's loss, -lr * gradient, or zero.
        epsilon: see hnet_core.regularizers.lookahead.
        kept: which generated weights count for each previous task, bool (n_previous_tasks, n_outputs); None for all.
        n_drawn: how many previous tasks each step is given; None for all.
        store_targets: whether the plain engine keeps the weights of previous tasks or generates them anew.
    """

    beta: float
    lookahead: Lookahead = "adam"
    epsilon: EpsilonPlacement = "as_optimizer"
    kept: Tensor | None = None
    n_drawn: int | None = None
    store_targets: bool = True
