"""Weights of the target network under a generated mask for each task."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from hnet_core.problem import Problem
from hnet_core.weights.semi_binary_masks import SemiBinaryMask
from hnet_core.weights.sources import GeneratedWeights, OwnWeights


class MaskedWeights:
    """W * m(h(e_t, theta)): own weights W shared by all tasks, a mask for each.

    Attributes:
        logits: of the masks, generated from theta and the task embeddings.
        own: W.
        mask: how logits become masks.
        sparsity: percentage of each tensor that is masked out.
    """

    def __init__(self, problem: Problem, mask: SemiBinaryMask, sparsity: float) -> None:
        self.logits = GeneratedWeights(problem)
        self.own = OwnWeights(problem)
        self.mask = mask
        self.sparsity = sparsity

    def parameters(self, task: int) -> list[Tensor]:
        return [*self.logits.parameters(task), self.own.flat]

    def weights(self, task: int) -> Tensor:
        return self.mask.apply(self.own.flat, self.mask(self.logits.weights(task), self.sparsity))

    def state(self) -> dict[str, Any]:
        return {**self.logits.state(), **self.own.state()}

    def load_state(self, state: dict[str, Any]) -> None:
        self.logits.load_state(state)
        self.own.load_state(state)
