"""The fused Adam on flat buffers against torch.optim.Adam, and its look-ahead against the plain one."""

from __future__ import annotations

import pytest
import torch

from hnet_core.engines.kernels.adam import FlatAdam
from hnet_core.regularizers.lookahead import EpsilonPlacement, adam_lookahead
from hnet_core.trial import TrainingOptions

TRAINING = TrainingOptions(lr=0.01, adam_beta1=0.8, adam_beta2=0.95)


def draws(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(sum(shape)), dtype=torch.float64)


@pytest.mark.parametrize("tile", [7, 2**16])
@pytest.mark.parametrize("epsilon", ["as_optimizer", "uncorrected"])
def test_steps_and_look_aheads_equal_those_of_torch(
    epsilon: EpsilonPlacement, tile: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hnet_core.engines.kernels.adam.TILE", tile)
    ours, theirs = draws(50), draws(50).requires_grad_()
    gradient = torch.zeros_like(ours)
    adam = FlatAdam(TRAINING, [ours], [gradient])
    reference = torch.optim.Adam([theirs], lr=0.01, betas=(0.8, 0.95))
    lookahead, subtrahend = torch.empty_like(ours), draws(31)
    before = [(slice(0, 19), None), (slice(19, 50), subtrahend)]
    for step in range(6):
        gradient.copy_(1e-7 * torch.cos(ours + step))  # small, so that epsilon counts
        theirs.grad = gradient.clone()
        adam.begin_step()
        adam.look_ahead(lookahead, before, epsilon)
        lookahead[19:] += subtrahend
        (expected,) = adam_lookahead(reference, [theirs], [theirs.grad], epsilon)
        torch.testing.assert_close(lookahead - ours, expected, rtol=1e-9, atol=1e-14)
        adam.step()
        reference.step()
        torch.testing.assert_close(ours, theirs.detach(), rtol=1e-12, atol=1e-14)


def test_looking_ahead_changes_neither_weights_nor_state() -> None:
    parameters, gradients = [draws(9), draws(1, 4)], [draws(9) + 1, draws(1, 4) + 1]
    with_look = FlatAdam(TRAINING, parameters, gradients)
    copies = [part.clone() for part in parameters]
    without = FlatAdam(TRAINING, copies, gradients)
    for _ in range(3):
        with_look.begin_step()
        with_look.look_ahead(torch.zeros(9, dtype=torch.float64), [(slice(0, 9), None)], "as_optimizer")
        with_look.step()
        without.begin_step()
        without.step()
    assert all(torch.equal(ours, theirs) for ours, theirs in zip(parameters, copies, strict=True))
