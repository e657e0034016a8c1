"""The loss of rehearsal and its soft targets against obvious ones, in float64."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from hnet_core.optimization.output_loss import automatic_gradient
from hnet_core.rehearsal.classifier import Distillation, soft_targets
from hnet_core.rehearsal.loss import RehearsalLoss

draws = torch.Generator().manual_seed(0)


def random(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=draws, dtype=torch.float64)


@settings(max_examples=20, deadline=None)
@given(
    n_groups=st.integers(1, 4),
    n_classes=st.integers(1, 4),
    n_present=st.integers(1, 4),
    n_rehearsed=st.integers(0, 4),
    temperature=st.sampled_from([1.0, 2.0, 3.5]),
    stack=st.sampled_from([(), (2,)]),
)
def test_value_and_gradient_equal_a_loop_over_rows_and_groups(
    n_groups: int, n_classes: int, n_present: int, n_rehearsed: int, temperature: float, stack: tuple[int, ...]
) -> None:
    loss, rows = RehearsalLoss(), n_present + n_rehearsed
    rehearsed = random(n_rehearsed, n_groups).abs()
    loss.start_task(n_groups, n_groups - 1, 0.3, rehearsed, temperature)
    outputs, targets = random(*stack, rows, n_groups * n_classes), random(*stack, rows, n_groups, n_classes).softmax(-1)
    leaf = outputs.clone().requires_grad_()
    expected = torch.zeros((), dtype=torch.float64)
    for y, p in zip(
        leaf.reshape(-1, rows, n_groups, n_classes), targets.view(-1, rows, n_groups, n_classes), strict=True
    ):
        for row in range(rows):
            for group in range(n_groups):
                if row < n_present:
                    if group == n_groups - 1:
                        expected = expected + 0.3 / n_present * F.cross_entropy(y[row, group], p[row, group])
                else:
                    of_row = F.cross_entropy(y[row, group] / temperature, p[row, group])
                    expected = expected + rehearsed[row - n_present, group] * temperature**2 * of_row
    torch.testing.assert_close(loss.value(outputs, targets), expected.detach(), rtol=1e-9, atol=1e-12)
    by_hand, automatic = torch.empty_like(outputs), torch.empty_like(outputs)
    loss.gradient(outputs, targets, by_hand)
    automatic_gradient(loss, outputs, targets, automatic)
    torch.testing.assert_close(by_hand, torch.autograd.grad(expected, [leaf])[0], rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(automatic, by_hand, rtol=1e-9, atol=1e-12)


def test_padded_logits_give_new_classes_a_share_and_padded_probabilities_none() -> None:
    outputs, student = random(5, 6), random(5, 6)
    losses = {}
    for padding in ("logits", "probabilities"):
        targets = soft_targets(outputs, 4, 1, Distillation(2.0, padding))  # type: ignore[arg-type]
        loss = RehearsalLoss()
        loss.start_task(1, 0, 0.0, torch.full((5, 1), 0.2, dtype=torch.float64), 2.0)
        losses[padding] = float(loss.value(student, targets))
        assert (targets[:, 0, 4:] > 0).all() == (padding == "logits")
    # the code of von Oswald et al.: zero logits for the new classes
    padded = torch.cat([outputs[:, :4], torch.zeros(5, 2, dtype=torch.float64)], dim=1)
    logits = -((padded / 2).softmax(1) * (student / 2).log_softmax(1)).sum(1).mean() * 4
    # the code of van de Ven and Tolias: zero probabilities for them
    padded = torch.cat([(outputs[:, :4] / 2).softmax(1), torch.zeros(5, 2, dtype=torch.float64)], dim=1)
    probabilities = -(padded * (student / 2).log_softmax(1)).sum(1).mean() * 4
    torch.testing.assert_close(losses["logits"], float(logits), rtol=1e-9, atol=0)
    torch.testing.assert_close(losses["probabilities"], float(probabilities), rtol=1e-9, atol=0)
