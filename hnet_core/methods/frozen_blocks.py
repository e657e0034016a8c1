"""The first blocks of a target network: learnt with the first task, frozen from then on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from hnet_core.problem import Problem
from hnet_core.streams import Split
from hnet_core.targets import Target
from hnet_core.targets.target import Normalization
from hnet_core.weights.sources import OwnWeights

FEATURE_BATCH = 512

# The range of a search: from none to all blocks of the target network.
FREEZE_DEPTHS: dict[str, Any] = {"search": {"choice": [0, 1, 2, 3, 4]}, "of_blocks": True}


class FrozenBlocks:
    """The blocks before `depth` with weights of their own; with depth 0 the features are the inputs.

    Args:
        problem: of the entire target network.
        normalization: in these blocks, None for the target's own. Running statistics are those of the first task.
        keeps_updating: running statistics keep changing in later tasks, although the weights do not.
        starts_frozen: the weights are not trained in the first task either.

    Attributes:
        part: the problem of these blocks.
        flat: their weights, (n_weights,).
    """

    def __init__(
        self,
        problem: Problem,
        depth: int,
        normalization: Normalization | None = None,
        *,
        keeps_updating: bool = False,
        starts_frozen: bool = False,
    ) -> None:
        self.part = problem.part(0, depth, normalization)
        self._source = OwnWeights(self.part)
        self.flat = self._source.flat
        self._depth, self._keeps_updating, self._starts_frozen = depth, keeps_updating, starts_frozen

    def trains(self, task: int) -> bool:
        """Return whether the weights may change in this task."""
        return task == 0 and not self._starts_frozen

    def parameters(self, task: int) -> list[Tensor]:
        """Return the tensors to train on a task: the weights in the first task, nothing later."""
        return [self.flat] if self.trains(task) and self.flat.numel() else []

    def features(self, task: int, inputs: Tensor, *, training: bool = False) -> Tensor:
        """Return the features of the inputs; differentiable in the weights in training on the first task."""
        if training and self.trains(task):
            return self._forward(inputs, training=True)
        with torch.no_grad():
            return self._forward(inputs, training=training and self._keeps_updating)

    def computed_once(self, split: Split) -> Split | None:
        """Compute the features of all examples, in place of their inputs; return None if they differ between passes.

        They differ if images are augmented, or if blocks normalise over the batch.
        """
        varies = self.part.target.initial_statistics(self.part.dtype).numel() > 0 and (
            self.part.target.normalization == "batch" or self._keeps_updating
        )
        if self._depth == 0 or split.augments or varies:
            return None
        with torch.inference_mode(False), torch.no_grad():
            blocks = [
                self._forward(split.batch(slice(start, start + FEATURE_BATCH), self.part.dtype)[0], training=False)
                for start in range(0, len(split), FEATURE_BATCH)
            ]
        return replace(split, inputs=torch.cat(blocks), scale=1.0, order=None, preprocessing=None)

    def state(self) -> dict[str, Any]:
        return {"weights": self._source.state(), "statistics": self.part.statistics.state()}

    def load_state(self, state: dict[str, Any]) -> None:
        self._source.load_state(state["weights"])
        self.part.statistics.load_state(state["statistics"])

    def _forward(self, inputs: Tensor, *, training: bool) -> Tensor:
        return self.part.forward(0, self.flat, inputs, training=training)


def too_deep(depth: int, target: Target) -> str | None:
    """Return the reason why so many blocks of this target network cannot be frozen; None if they can."""
    if depth <= target.n_blocks:
        return None
    return f"can freeze at most the {target.n_blocks} blocks of this target network, got freeze_depth {depth}"
