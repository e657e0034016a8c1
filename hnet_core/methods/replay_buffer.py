"""Examples kept for replay, the same number of every class."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

Examples = tuple[Tensor, Tensor, Tensor]  # inputs, labels within their task, tasks


class ReplayBuffer:
    """Inputs, labels within their task, and tasks of at most `size` examples."""

    def __init__(self, size: int, device: torch.device) -> None:
        self._size, self._device = size, device
        self._inputs = torch.zeros(0, device=device)
        self._labels = torch.zeros(0, dtype=torch.int64, device=device)
        self._tasks = torch.zeros(0, dtype=torch.int64, device=device)

    def __len__(self) -> int:
        return len(self._labels)

    def chosen(self, labels: Tensor, n_classes: int, draws: torch.Generator) -> Tensor:
        """Return the positions of random examples, of each class as many as the buffer may keep among `n_classes`."""
        positions = []
        for label in labels.unique():
            members = (labels == label).nonzero().squeeze(1)
            positions.append(members[torch.randperm(len(members), generator=draws)[: self._size // n_classes]])
        return torch.cat(positions)

    def add(self, inputs: Tensor, labels: Tensor, task: int, n_classes: int) -> None:
        """Add examples of a new task, and drop examples of earlier classes to keep the classes balanced."""
        kept = self._first_of_each_class(self._size // n_classes)
        parts = (self._inputs, inputs), (self._labels, labels), (self._tasks, torch.full_like(labels, task))
        if len(kept) == 0:
            self._inputs, self._labels, self._tasks = (new.detach().clone() for _, new in parts)
            return
        self._inputs, self._labels, self._tasks = (torch.cat([old[kept], new.detach()]) for old, new in parts)

    def draw(self, n: int, draws: torch.Generator) -> Examples:
        """Draw inputs, labels and tasks of n examples, or of all if there are fewer, each at most once."""
        return self._at(torch.randperm(len(self), generator=draws)[:n])

    def passes(self, n: int, draws: torch.Generator) -> Iterator[Examples]:
        """Go through the shuffled examples again and again, n at a time; the rest of a pass is left out."""
        while True:
            shuffled = torch.randperm(len(self), generator=draws)
            for index in shuffled.split(n)[: max(1, len(self) // n)]:
                yield self._at(index)

    def _at(self, index: Tensor) -> Examples:
        index = index.to(self._device)
        return self._inputs[index], self._labels[index], self._tasks[index]

    def state(self) -> dict[str, Any]:
        return {"inputs": self._inputs.cpu(), "labels": self._labels.cpu(), "tasks": self._tasks.cpu()}

    def load_state(self, state: dict[str, Any]) -> None:
        self._inputs, self._labels, self._tasks = (state[key].to(self._device) for key in ("inputs", "labels", "tasks"))

    def _first_of_each_class(self, n: int) -> Tensor:
        groups = torch.stack([self._tasks, self._labels], dim=1).cpu()
        positions = [(groups == group).all(dim=1).nonzero().squeeze(1)[:n] for group in groups.unique(dim=0)]
        return torch.cat([torch.zeros(0, dtype=torch.int64), *positions]).to(self._device)
