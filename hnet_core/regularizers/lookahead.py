"""The look-ahead: the next step of the optimiser, computed without changing its state."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

EpsilonPlacement = Literal["as_optimizer", "uncorrected"]


def adam_lookahead(
    optimizer: torch.optim.Optimizer,
    parameters: Sequence[Tensor],
    gradients: Sequence[Tensor],
    epsilon: EpsilonPlacement = "as_optimizer",
) -> list[Tensor]:
    """Return the change of each parameter if Adam made a step with these gradients now; its state is not changed.

    The change is differentiable in gradients that are. Weight decay adds its multiple of the parameter to the gradient,
    as in torch.optim.Adam.

    With m' and v' the moments after the step and s the number of the step,
    as_optimizer: -lr / (1 - b1^s) * m' / (sqrt(v' / (1 - b2^s)) + eps), what torch.optim.Adam does;
    uncorrected: -lr * sqrt(1 - b2^s) / (1 - b1^s) * m' / (sqrt(v') + eps), the look-ahead of the official code, which
    follows an older PyTorch and differs in the first steps of a task.
    """
    group = optimizer.param_groups[0]
    beta1, beta2 = group["betas"]
    changes = []
    for parameter, gradient in zip(parameters, gradients, strict=True):
        state = optimizer.state.get(parameter, {})
        step = float(state.get("step", 0)) + 1
        if group["weight_decay"]:
            own = parameter if gradient.requires_grad else parameter.detach()
            gradient = gradient + group["weight_decay"] * own
        first = (1 - beta1) * gradient
        second = (1 - beta2) * gradient.square()
        if state:
            first = first + beta1 * state["exp_avg"]
            second = second + beta2 * state["exp_avg_sq"]
        correction1, correction2 = 1 - beta1**step, 1 - beta2**step
        if epsilon == "as_optimizer":
            change = first / (_root(second / correction2) + group["eps"])
        else:
            change = math.sqrt(correction2) * first / (_root(second) + group["eps"])
        changes.append(-group["lr"] / correction1 * change)
    return changes


def _root(square: Tensor) -> Tensor:
    """Return the square root, with the derivative 0 instead of infinity at 0: of |g| for a gradient g of 0."""
    if not square.requires_grad:
        return square.sqrt()
    positive = square > 0
    return torch.where(positive, square, 1.0).sqrt() * positive
