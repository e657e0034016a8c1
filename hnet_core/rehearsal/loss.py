"""The loss of a batch of present examples followed by rehearsed ones, each with soft targets."""

from __future__ import annotations

import torch
from torch import Tensor


class RehearsalLoss:
    """sum over rows r and groups g of w[r, g] T_r^2 CE(p[r, g], softmax(y[r, g] / T_r)).

    The outputs y of a row are cut into groups of equal size: the heads seen so far where every task has its own, else
    one group of all. T_r is 1 for present examples and the temperature of the distillation for rehearsed ones
    (Hinton et al., "Distilling the knowledge in a neural network", 2015, https://arxiv.org/abs/1503.02531); T^2 keeps
    the size of the gradient.
    """

    recordable = True

    def start_task(
        self, n_groups: int, present_group: int, present_share: float, rehearsed: Tensor, temperature: float
    ) -> None:
        """Set the weights of a task.

        Args:
            n_groups: groups of outputs.
            present_group: the group of the present examples.
            present_share: the sum of their w, the same for each.
            rehearsed: w of the rehearsed rows, which are the last of a batch, (n_rehearsed, n_groups).
            temperature: T of the rehearsed rows.
        """
        self._n_groups, self._present, self.rehearsed = n_groups, (present_group, present_share), rehearsed
        self._temperature = temperature
        self._factors: dict[int, tuple[Tensor, Tensor]] = {}

    def value(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the loss of a batch, a scalar.

        Args:
            outputs: (n, n_groups * n_classes).
            targets: probabilities p, (n, n_groups, n_classes).
        """
        weights, temperature = self._of_rows(outputs.shape[-2])
        log_probabilities = torch.log_softmax(self._grouped(outputs) / temperature, dim=-1)
        return -(weights * temperature.square() * targets * log_probabilities).sum()

    def gradient(self, outputs: Tensor, targets: Tensor, out: Tensor) -> None:
        weights, temperature = self._of_rows(outputs.shape[-2])
        grouped = self._grouped(out)
        torch.softmax(self._grouped(outputs) / temperature, dim=-1, out=grouped)
        grouped.sub_(targets).mul_(weights * temperature)  # where w is not 0, targets add up to 1

    def _grouped(self, outputs: Tensor) -> Tensor:
        return outputs.view(*outputs.shape[:-1], self._n_groups, -1)

    def _of_rows(self, n_rows: int) -> tuple[Tensor, Tensor]:
        """Return w (n, n_groups, 1) and T (n, 1, 1) of a batch of this size."""
        if n_rows not in self._factors:
            n_present, (group, share) = n_rows - len(self.rehearsed), self._present
            present = self.rehearsed.new_zeros(n_present, self._n_groups)
            present[:, group] = share / max(1, n_present)
            temperature = self.rehearsed.new_ones(n_rows, 1, 1)
            temperature[n_present:] = self._temperature
            self._factors[n_rows] = torch.cat([present, self.rehearsed]).unsqueeze(-1), temperature
        return self._factors[n_rows]
