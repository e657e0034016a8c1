"""A quadratic penalty on changes of the weights of one network, weighted by their importance."""

from __future__ import annotations

import torch
from torch import Tensor

from hnet_core.weights.sources import copies


class QuadraticPenalty:
    """strength / 2 * sum_i importance_i (w_i - anchor_i)^2, for weights w (n_weights,).

    Elastic weight consolidation and synaptic intelligence add it to the loss; they differ in the importance. Its
    gradient needs no memory beyond one buffer, whatever the number of tasks.

    Attributes:
        strength: factor of the penalty.
        importance, anchor: (n_weights,); changed in place only, so that a recorded step reads the present values.
    """

    def __init__(self, weights: Tensor, strength: float) -> None:
        self.strength = strength
        self.anchor = weights.detach().clone()
        self.importance, self._change = torch.zeros_like(self.anchor), torch.zeros_like(self.anchor)

    def add_gradient(self, weights: Tensor, gradient: Tensor) -> None:
        """Add the gradient of the penalty at `weights` (n_weights,) to `gradient` (n_weights,)."""
        torch.sub(weights, self.anchor, out=self._change)
        gradient.addcmul_(self.importance, self._change, value=self.strength)

    def after_step(self, weights: Tensor, gradient: Tensor) -> None:
        """Read nothing: the importance does not depend on single steps."""

    def state(self) -> dict[str, Tensor]:
        importance, anchor = copies([self.importance, self.anchor])
        return {"importance": importance, "anchor": anchor}

    def load_state(self, importance: Tensor, anchor: Tensor) -> None:
        self.importance.copy_(importance)
        self.anchor.copy_(anchor)
