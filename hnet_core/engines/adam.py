"""Adam on a few flat buffers, with the look-ahead candidate taken from the same state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from hnet_core.lookahead import EpsilonPlacement
from hnet_core.trial import TrainingOptions

EPS = 1e-8  # torch.optim.Adam's own
TILE = 2**16  # numbers whose moments are copied at a time, so that the copies stay in the cache


@dataclass(frozen=True)
class _Tile:
    """A stretch of the candidate, of the gradient and of both moments (2, n), and room for a copy of these."""

    candidate: list[Tensor]
    gradient: list[Tensor]
    moments: Tensor
    copy: Tensor
    first: list[Tensor]
    second: list[Tensor]


class FlatAdam:
    """The update of torch.optim.Adam by its fused kernel, on buffers that stay where they are.

    Args:
        training: learning rate and decay rates.
        parameters: flat buffers, updated in place by `step`.
        gradients: of the same shapes, read at each call.
    """

    def __init__(self, training: TrainingOptions, parameters: Sequence[Tensor], gradients: Sequence[Tensor]) -> None:
        self._training = training
        self._parameters, self._gradients = list(parameters), list(gradients)
        self._moments = [parameter.new_zeros(2, parameter.numel()) for parameter in parameters]
        self._first = [moments[0].view_as(parameter) for moments, parameter in self._paired()]
        self._second = [moments[1].view_as(parameter) for moments, parameter in self._paired()]
        self._count = torch.zeros((), dtype=torch.float32, device=parameters[0].device)  # of the step to be taken
        self._steps = 0
        self._tiles: list[_Tile] = []
        self._tiled: Tensor | None = None

    def begin_step(self) -> None:
        """Count a step; once before `look_ahead` and `step`."""
        self._count.add_(1)
        self._steps += 1

    def look_ahead(self, candidate: Tensor, epsilon: EpsilonPlacement) -> None:
        """Add to `candidate` the change that the first parameter would undergo with its gradient; the state stays.

        Args:
            candidate: a flat buffer, the same at each call.
        """
        if self._tiled is not candidate:
            self._tiles, self._tiled = self._tile(candidate), candidate
        eps = EPS
        if epsilon == "uncorrected":  # sqrt(v) / c + eps / c = (sqrt(v) + eps) / c with c^2 the bias correction
            eps /= (1 - self._training.adam_beta2**self._steps) ** 0.5
        for tile in self._tiles:
            tile.copy.copy_(tile.moments)
            self._fused(tile.candidate, tile.gradient, tile.first, tile.second, eps)

    def step(self) -> None:
        """Update all parameters with their gradients."""
        self._fused(self._parameters, self._gradients, self._first, self._second, EPS)

    def _paired(self) -> zip[tuple[Tensor, Tensor]]:
        return zip(self._moments, self._parameters, strict=True)

    def _tile(self, candidate: Tensor) -> list[_Tile]:
        """Views of all buffers in turn, on copies of the moments that share one small memory."""
        moments, gradient = self._moments[0], self._gradients[0]
        size = TILE if candidate.device.type == "cpu" else len(candidate)  # elsewhere a launch costs more
        copies = moments.new_empty(2, min(size, len(candidate)))
        tiles = []
        for begin in range(0, len(candidate), size):
            span = slice(begin, min(begin + size, len(candidate)))
            copy = copies[:, : span.stop - span.start]
            tiles.append(_Tile([candidate[span]], [gradient[span]], moments[:, span], copy, [copy[0]], [copy[1]]))
        return tiles

    def _fused(
        self,
        parameters: list[Tensor],
        gradients: list[Tensor],
        first: list[Tensor],
        second: list[Tensor],
        eps: float,
    ) -> None:
        torch._fused_adam_(
            parameters,
            gradients,
            first,
            second,
            [],
            [self._count] * len(parameters),
            lr=self._training.lr,
            beta1=self._training.adam_beta1,
            beta2=self._training.adam_beta2,
            weight_decay=0.0,
            eps=eps,
            amsgrad=False,
            maximize=False,
        )
