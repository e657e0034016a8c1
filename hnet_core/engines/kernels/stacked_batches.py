"""The batch of a step, in buffers that stay in place."""

from __future__ import annotations

import torch
from torch import Tensor

from hnet_core.engines.cuda_graph import is_recorded


class Batches:
    """One batch per seed, copied to buffers that stay in place for stacked seeds and recorded steps.

    Attributes:
        inputs: (n, n_inputs), or (S, n, n_inputs) for stacked seeds.
        labels: (n,) or (n, n_targets), likewise.
    """

    def __init__(self, stack: tuple[int, ...], device: torch.device) -> None:
        self._stack = stack
        self._copies = len(stack) > 0 or is_recorded(device)
        self.inputs = self.labels = torch.empty(0, device=device)

    def put(self, seed: int, inputs: Tensor, labels: Tensor) -> None:
        """Set the batch of one seed.

        Raises:
            ValueError: a batch of another shape than the first.
        """
        if not self._copies:
            self.inputs, self.labels = inputs, labels
            return
        shape = (*self._stack, *inputs.shape)
        if not len(self.inputs):
            self.inputs = inputs.new_zeros(shape)
            self.labels = labels.new_zeros(*self._stack, *labels.shape)
        if self.inputs.shape != shape:
            raise ValueError(f"every batch must have the shape of the first, {tuple(self.inputs.shape)}, got {shape}.")
        of_seed = seed if self._stack else ...
        self.inputs[of_seed].copy_(inputs)
        self.labels[of_seed].copy_(labels)
