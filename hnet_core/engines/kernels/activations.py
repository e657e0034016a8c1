"""Activation functions in place, and their gradients computed from their own outputs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from hnet_core.activations import ACTIVATIONS

aten = torch.ops.aten


@dataclass(frozen=True)
class InPlace:
    """One activation function.

    Attributes:
        apply_: x <- a(x).
        backward_: gradient <- gradient * a'(x), from gradient and a(x).
    """

    apply_: Callable[[Tensor], object]
    backward_: Callable[[Tensor, Tensor], object]


def in_place(activation: Callable[[Tensor], Tensor]) -> InPlace | None:
    """Return the in-place form of a function of hnet_core.activations, None for any other."""
    for name, function in ACTIVATIONS.items():
        if function is activation:
            return _IN_PLACE.get(name)
    return None


def _keep(x: Tensor) -> None:
    """Leave x unchanged: the identity."""


def _relu(gradient: Tensor, output: Tensor) -> object:
    return aten.threshold_backward.grad_input(gradient, output, 0, grad_input=gradient)


def _elu(gradient: Tensor, output: Tensor) -> object:
    return aten.elu_backward.grad_input(gradient, 1, 1, 1, True, output, grad_input=gradient)


def _leaky_relu(gradient: Tensor, output: Tensor) -> object:
    return aten.leaky_relu_backward.grad_input(gradient, output, 0.01, True, grad_input=gradient)


def _sigmoid(gradient: Tensor, output: Tensor) -> object:
    return aten.sigmoid_backward.grad_input(gradient, output, grad_input=gradient)


def _tanh(gradient: Tensor, output: Tensor) -> object:
    return aten.tanh_backward.grad_input(gradient, output, grad_input=gradient)


_IN_PLACE = {
    "relu": InPlace(torch.relu_, _relu),
    "elu": InPlace(aten.elu_, _elu),
    "leaky_relu": InPlace(aten.leaky_relu_, _leaky_relu),
    "sigmoid": InPlace(torch.sigmoid_, _sigmoid),
    "tanh": InPlace(torch.tanh_, _tanh),
    "linear": InPlace(_keep, lambda gradient, output: None),
}
