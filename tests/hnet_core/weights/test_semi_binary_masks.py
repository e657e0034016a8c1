"""Semi-binary masks against numpy's interpolated percentile and finite differences."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from hnet_core.targets.target import Kind
from hnet_core.weights.semi_binary_masks import MaskValues, SemiBinaryMask, percentile

SHAPES = ((4, 5), (4,), (3, 4), (3,))
SIZES = (20, 4, 12, 3)
KINDS: tuple[Kind, ...] = ("weight", "bias", "weight", "bias")


def logits(seed: int = 0) -> Tensor:
    return torch.randn(sum(SIZES), generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 12), min_size=1, max_size=40), st.integers(0, 990))
def test_the_percentile_keeps_what_the_interpolated_one_keeps_ties_included(values: list[int], permille: int) -> None:
    percent = permille / 10
    numbers = np.array(values, dtype=float)
    kept = torch.tensor(numbers) >= percentile(torch.tensor(numbers), percent)
    expected = numbers >= np.percentile(numbers, percent) * (1 - 1e-12)
    assert kept.tolist() == expected.tolist()


@pytest.mark.parametrize("values", ["absolute", "signed"])
def test_each_tensor_keeps_its_own_largest_and_the_last_one_everything(values: MaskValues) -> None:
    mask = SemiBinaryMask(SHAPES, KINDS, values)(logits(), sparsity=30)
    parts, of_logits = mask.split(SIZES), logits().split(SIZES)
    assert [int((part == 0).sum()) for part in parts] == [6, 1, 4, 0]
    for part, logit in zip(parts, of_logits, strict=True):
        kept = part != 0
        assert part[kept].equal((logit.tanh().abs() if values == "absolute" else logit.tanh())[kept])
        assert kept.all() or logit[kept].abs().min() >= logit[~kept].abs().max()


def test_no_sparsity_keeps_everything_and_the_output_bias_is_never_multiplied() -> None:
    masks, weights = SemiBinaryMask(SHAPES, KINDS), logits(1)
    mask = masks(logits(), sparsity=0)
    assert (mask > 0).all()
    assert masks.apply(weights, mask).split(SIZES)[-1].equal(weights.split(SIZES)[-1])
    assert masks.apply(weights, mask)[:36].equal((weights * mask)[:36])


@pytest.mark.parametrize("values", ["absolute", "signed"])
def test_gradients_flow_through_kept_values_only(values: MaskValues) -> None:
    masks, leaf = SemiBinaryMask(SHAPES, KINDS, values), logits().requires_grad_()
    assert torch.autograd.gradcheck(lambda x: masks(x, 30.0), (leaf,))
    mask = masks(leaf, 30.0)
    (gradient,) = torch.autograd.grad(mask.sum(), leaf)
    assert (gradient == 0).equal(mask == 0)


def test_scales_and_shifts_of_normalisation_layers_have_no_mask() -> None:
    masks = SemiBinaryMask(((2, 3), (2,), (2,), (1, 2), (1,)), ("weight", "scale", "shift", "weight", "bias"))
    assert masks.masked.shapes == ((2, 3), (1, 2), (1,))
    weights = torch.arange(1.0, 14.0)
    masked = masks.apply(weights, torch.full((9,), 0.5))
    assert masked.tolist() == [0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 7.0, 8.0, 9.0, 10.0, 5.5, 6.0, 13.0]
    assert masks.masked_part(weights).tolist() == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 11.0, 12.0, 13.0]
