"""Weights of a fully connected target network under a gate for every hidden unit and task."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from hnet_core.initialization import normal
from hnet_core.problem import Problem
from hnet_core.seeding import generator
from hnet_core.targets.target import cut
from hnet_core.weights.sources import OwnWeights, copies, fill, leaf


class GatedWeights:
    """Own weights W, and gates a = sigmoid(s e_t) on the outputs of the hidden units, all layers in one vector.

    A gate on the output of a unit is the same as one on the weights that read it, so that the network of a task is
    the target network with the columns of W multiplied by the gates.

    Attributes:
        own: W, shared by all tasks.
        embeddings: e_t, one leaf tensor (n_units,) per task, drawn from N(0, 1).
        scale: s of the gates of `weights`.
    """

    def __init__(self, problem: Problem, scale: float) -> None:
        self.own, self.scale = OwnWeights(problem), scale
        self._shapes = problem.target.shapes
        self._widths = [shape[0] for shape in self._shapes[:-2:2]]
        draws = generator(problem.seed, "initialize", "gates")
        self.embeddings = [
            leaf(normal((sum(self._widths),), draws, problem.dtype), problem.device)
            for _ in range(problem.shape.n_tasks)
        ]

    def parameters(self, task: int) -> list[Tensor]:
        return [self.own.flat, self.embeddings[task]]

    def gates(self, task: int, scale: float) -> Tensor:
        """Return the gates of a task, (n_units,)."""
        return torch.sigmoid(scale * self.embeddings[task])

    def gated(self, gates: Tensor) -> Tensor:
        """Return W under gates (n_units,), (n_weights,)."""
        first, *others = cut(self.own.flat, self._shapes)
        parts = [first.flatten(), others[0]]
        for weight, bias, gate in zip(others[1::2], others[2::2], gates.split(self._widths), strict=True):
            parts += [(weight * gate).flatten(), bias]
        return torch.cat(parts)

    def weights(self, task: int) -> Tensor:
        return self.gated(self.gates(task, self.scale))

    def used(self, task: int) -> Tensor:
        """Return the largest gate of each unit in the tasks before, (n_units,); zeros for the first task."""
        gates = [self.gates(previous, self.scale).detach() for previous in range(task)]
        return torch.stack([torch.zeros_like(self.embeddings[0]).detach(), *gates]).amax(dim=0)

    def free(self, used: Tensor) -> Tensor:
        """Return the factor 1 - min(used by the unit, used by the unit it reads) of each weight, (n_weights,).

        Weights of the first layer and biases have the factor of their unit, those of the heads 1.
        """
        of_layers = [1 - gates for gates in used.split(self._widths)]
        parts = [of_layers[0].unsqueeze(1).expand(self._shapes[0]), of_layers[0]]
        for before, unit, shape in zip(of_layers[:-1], of_layers[1:], self._shapes[2:-2:2], strict=True):
            parts += [torch.maximum(unit.unsqueeze(1), before).expand(shape), unit]
        parts += [used.new_ones(shape) for shape in self._shapes[-2:]]
        return torch.cat([part.flatten() for part in parts])

    def state(self) -> dict[str, Any]:
        return {**self.own.state(), "embeddings": copies(self.embeddings)}

    def load_state(self, state: dict[str, Any]) -> None:
        self.own.load_state(state)
        fill(self.embeddings, state["embeddings"])
