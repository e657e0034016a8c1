"""Adam on a few flat buffers, with the look-ahead computed from the same state."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from hnet_core.engines.kernels.lookahead_weights import Subtrahends, difference
from hnet_core.regularizers.lookahead import EpsilonPlacement
from hnet_core.runtime import within_task
from hnet_core.trial import TrainingOptions

EPS = 1e-8  # torch.optim.Adam's own
TILE = 2**16  # numbers whose moments are copied at a time, so that the copies stay in the cache


@dataclass(frozen=True)
class _AdamTile:
    """Views of one cache-sized part of parameter, subtrahend, gradient and both moments, and buffers for copies.

    Tensors are (seeds, n), the moments (2, seeds, n); lists have one tensor (n,) per seed, that is one, on a GPU all.
    """

    parameter: Tensor
    before: Tensor | None
    result: Tensor
    result_per_seed: list[Tensor]
    gradient: list[Tensor]
    moments: Tensor
    copy: Tensor
    first: list[Tensor]
    second: list[Tensor]
    scaled_gradient: list[Tensor]


class FlatAdam:
    """The update of torch.optim.Adam by its fused kernel, on buffers that stay in place.

    Args:
        training: decay rates, and the learning rate to begin with.
        parameters: contiguous buffers, updated in place by `step`; the first is flat, (n,), or (S, n) of stacked seeds.
        gradients: of the same shapes, read at each call.
        is_of_task: made for one task, in which its state is noted; False where the caller keeps it over several.

    Attributes:
        lr: learning rate of the next look-ahead and step.
    """

    def __init__(
        self,
        training: TrainingOptions,
        parameters: Sequence[Tensor],
        gradients: Sequence[Tensor],
        *,
        is_of_task: bool = True,
    ) -> None:
        self._training, self.lr = training, training.lr
        self._parameters, self._gradients = list(parameters), list(gradients)
        self._moments = [parameter.new_zeros(2, parameter.numel()) for parameter in parameters]
        self._first = [moments[0].view_as(parameter) for moments, parameter in self._paired()]
        self._second = [moments[1].view_as(parameter) for moments, parameter in self._paired()]
        self._count = torch.zeros((), dtype=torch.float32, device=parameters[0].device)  # of the step to be taken
        self._tiles: list[_AdamTile] = []
        self._tiled: Tensor | None = None
        if is_of_task:
            within_task.note(self.state, self.load_state)

    def state(self) -> list[Tensor]:
        """Return copies of the number of steps and of the moments of each parameter."""
        return [tensor.cpu().clone() for tensor in (self._count, *self._moments)]

    def load_state(self, state: Sequence[Tensor]) -> None:
        """Put a state() in place."""
        for tensor, saved in zip((self._count, *self._moments), state, strict=True):
            tensor.copy_(saved)

    def begin_step(self) -> None:
        """Count a step; once before `look_ahead` and `step`."""
        self._count.add_(1)

    def look_ahead(self, lookahead: Tensor, before: Subtrahends, epsilon: EpsilonPlacement) -> None:
        """Set `lookahead` to the first parameter after a step with its gradient, minus `before`; Adam's state is kept.

        Args:
            lookahead: a buffer of the first parameter's shape, the same at each call.
            before: the subtrahends, the same at each call.
        """
        if self._tiled is not lookahead:
            self._tiles, self._tiled = list(self._tile(lookahead, before)), lookahead
        correction = self._root_of_second_correction() if epsilon == "uncorrected" else None
        for tile in self._tiles:
            gradient = tile.gradient
            if correction is None:
                tile.copy.copy_(tile.moments)
            else:
                torch.mul(tile.moments[0], correction, out=tile.copy[0])
                torch.mul(tile.moments[1], correction * correction, out=tile.copy[1])
                for scaled, own in zip(tile.scaled_gradient, gradient, strict=True):
                    torch.mul(own, correction, out=scaled)
                gradient = tile.scaled_gradient
            difference(tile.parameter, tile.before, out=tile.result)
            self._fused(tile.result_per_seed, gradient, tile.first, tile.second)

    def step(self) -> None:
        """Update all parameters with their gradients."""
        self._fused(self._parameters, self._gradients, self._first, self._second)

    def _paired(self) -> zip[tuple[Tensor, Tensor]]:
        return zip(self._moments, self._parameters, strict=True)

    def _root_of_second_correction(self) -> Tensor:
        """c = sqrt(1 - b2^s). Adam with c g, c m and c^2 v divides by sqrt(v) + eps instead of sqrt(v) / c + eps."""
        correction = (1 - self._training.adam_beta2 ** self._count.double()).sqrt()
        return correction.to(self._moments[0].dtype)

    def _tile(self, lookahead: Tensor, before: Subtrahends) -> Iterator[_AdamTile]:
        """Yield views of all buffers part by part, copies in one small buffer; on a GPU one part: launches cost."""
        n_numbers = lookahead.shape[-1]
        rows, parameter, gradient = (
            tensor.view(-1, n_numbers) if tensor.dim() == 1 else tensor
            for tensor in (lookahead, self._parameters[0], self._gradients[0])
        )
        moments = self._moments[0].view(2, len(rows), -1)
        on_cpu = lookahead.device.type == "cpu"
        size, seeds_at_once = (min(TILE, n_numbers), 1) if on_cpu else (n_numbers, len(rows))
        copies = moments.new_empty(3, seeds_at_once, size)
        for seed in range(0, len(rows), seeds_at_once):
            of_seeds = slice(seed, seed + seeds_at_once)
            for stretch, subtrahend in before:
                for begin in range(stretch.start, stretch.stop, size):
                    span = slice(begin, min(begin + size, stretch.stop))
                    within = slice(begin - stretch.start, span.stop - stretch.start)
                    first, second, scaled = copies[..., : span.stop - span.start]
                    yield _AdamTile(
                        parameter=parameter[of_seeds, span],
                        before=None if subtrahend is None else subtrahend.view(len(rows), -1)[of_seeds, within],
                        result=rows[of_seeds, span],
                        result_per_seed=list(rows[of_seeds, span]),
                        gradient=list(gradient[of_seeds, span]),
                        moments=moments[:, of_seeds, span],
                        copy=copies[:2, :, : span.stop - span.start],
                        first=list(first),
                        second=list(second),
                        scaled_gradient=list(scaled),
                    )

    def _fused(
        self,
        parameters: list[Tensor],
        gradients: list[Tensor],
        first: list[Tensor],
        second: list[Tensor],
    ) -> None:
        torch._fused_adam_(
            parameters,
            gradients,
            first,
            second,
            [],
            [self._count] * len(parameters),
            lr=self.lr,
            beta1=self._training.adam_beta1,
            beta2=self._training.adam_beta2,
            weight_decay=0.0,
            eps=EPS,
            amsgrad=False,
            maximize=False,
        )

    def moments(self, seed: int) -> tuple[Tensor, Tensor, Tensor]:
        """Return the number of steps, () for all seeds, and views of both moments of the first parameter, (n,) each."""
        n_numbers = self._parameters[0].shape[-1]
        first, second = (moments.view(-1, n_numbers)[seed] for moments in (self._first[0], self._second[0]))
        return self._count, first, second


class MomentsOfSeed:
    """The state of a FlatAdam with one parameter for one of its seeds, in the form of torch.optim.Adam's state."""

    def __init__(self, adam: FlatAdam, seed: int) -> None:
        self._adam, self._seed = adam, seed

    def state(self) -> dict[int, Any]:
        return {0: dict(zip(("step", "exp_avg", "exp_avg_sq"), self._adam.moments(self._seed), strict=True))}

    def load_state(self, state: dict[int, Any]) -> None:
        for name, own in self.state()[0].items():
            own.copy_(state[0][name])
