"""The batch of a step, in buffers that stay in place."""

from __future__ import annotations

import torch
from torch import Tensor

from hnet_core.engines.cuda_graph import is_recorded


class Batches:
    """One batch per seed, for stacked seeds and recorded steps in buffers that stay in place, a pair for each size.

    Attributes:
        inputs: (n, n_inputs), or (S, n, n_inputs) for stacked seeds.
        labels: (n,) or (n, n_targets), likewise.
    """

    def __init__(self, stack: tuple[int, ...], device: torch.device) -> None:
        self._stack = stack
        self._copies = len(stack) > 0 or is_recorded(device)
        self._buffers: dict[tuple[torch.Size, torch.Size], tuple[Tensor, Tensor]] = {}
        self.inputs = self.labels = torch.empty(0, device=device)

    def put(self, seed: int, inputs: Tensor, labels: Tensor) -> None:
        """Set the batch of one seed.

        Raises:
            ValueError: a batch of another shape than that of the first seed.
        """
        if not self._copies:
            self.inputs, self.labels = inputs, labels
            return
        shape = torch.Size((*self._stack, *inputs.shape))
        if seed == 0:
            key = shape, labels.shape  # soft targets widen with the tasks
            if key not in self._buffers:
                self._buffers[key] = inputs.new_zeros(shape), labels.new_zeros(*self._stack, *labels.shape)
            self.inputs, self.labels = self._buffers[key]
        if self.inputs.shape != shape:
            of_first, own = tuple(self.inputs.shape[1:]), tuple(inputs.shape)
            raise ValueError(f"the batch of every seed must have the shape of the first seed's, {of_first}, got {own}.")
        of_seed = seed if self._stack else ...
        self.inputs[of_seed].copy_(inputs)
        self.labels[of_seed].copy_(labels)
