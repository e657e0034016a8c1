"""Normalisation of images, by its definition and the faster way it is done without gradients."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hnet_core.targets import normalization
from hnet_core.targets.normalization import normalize
from hnet_core.targets.target import ForwardMode

OVER_BATCH = ForwardMode(training=True, normalization="batch")


@settings(max_examples=40, deadline=None)
@given(
    n=st.integers(1, 9),
    channels=st.integers(1, 2 * normalization.FEW_CHANNELS),
    side=st.integers(2, 7),
    channels_last=st.booleans(),
)
def test_over_the_batch_it_is_the_same_with_and_without_a_gradient(
    n: int, channels: int, side: int, channels_last: bool
) -> None:
    draws = torch.Generator().manual_seed(channels)
    layout = torch.channels_last if channels_last else torch.contiguous_format
    x = torch.randn(n, channels, side, side, generator=draws, dtype=torch.float64).add_(3).to(memory_format=layout)
    scale, shift = torch.randn(2, channels, generator=draws, dtype=torch.float64)
    mean, variance = x.mean(dim=(0, 2, 3), keepdim=True), x.var(dim=(0, 2, 3), keepdim=True, correction=0)
    expected = (x - mean) / (variance + 1e-5).sqrt() * scale.view(-1, 1, 1) + shift.view(-1, 1, 1)
    with torch.no_grad():
        torch.testing.assert_close(normalize(x, scale, shift, None, OVER_BATCH), expected, rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(normalize(x, scale, shift, None, OVER_BATCH), expected, rtol=1e-10, atol=1e-10)
