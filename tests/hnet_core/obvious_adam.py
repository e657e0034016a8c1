"""A slow, obvious Adam, for the oracles of the methods."""

from __future__ import annotations

import torch
from torch import Tensor


class ObviousAdam:
    """Adam as in Kingma and Ba (2015), one tensor at a time."""

    def __init__(self, parameters: list[Tensor], lr: float) -> None:
        self.parameters, self.lr, self.steps = parameters, lr, 0
        self.first = [torch.zeros_like(p) for p in parameters]
        self.second = [torch.zeros_like(p) for p in parameters]

    def change(self, gradients: list[Tensor], keep: bool) -> list[Tensor]:
        steps, changes = self.steps + 1, []
        for i, g in enumerate(gradients):
            m, v = 0.9 * self.first[i] + 0.1 * g, 0.999 * self.second[i] + 0.001 * g * g
            m_hat, v_hat = m / (1 - 0.9**steps), v / (1 - 0.999**steps)
            changes.append(-self.lr * m_hat / (v_hat.sqrt() + 1e-8))
            if keep:
                self.first[i], self.second[i] = m, v
        if keep:
            self.steps = steps
        return changes
