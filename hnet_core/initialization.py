"""Initial values of layers, by the names in a configuration."""

from __future__ import annotations

import math
from typing import Annotated, Literal

import torch
from pydantic import BeforeValidator
from torch import Tensor


def _known_name(name: object) -> object:
    return "kaiming" if name == "pytorch" else name


InitializationName = Annotated[Literal["xavier", "kaiming"], BeforeValidator(_known_name)]
"""xavier or kaiming; pytorch is another name of kaiming, under which a configuration is stored."""


def linear_layer(
    n_out: int, n_in: int, scheme: str, generator: torch.Generator, dtype: torch.dtype
) -> tuple[Tensor, Tensor]:
    """Draw weight (n_out, n_in) and bias (n_out,) of one linear layer.

    xavier: Glorot-uniform weights, zero biases (the hypernetworks of von Oswald et al. 2020, for MNIST and CIFAR).
    kaiming: PyTorch's own default, both uniform in +-1/sqrt(n_in) (HyperMask; van de Ven and Tolias).

    Drawn in float32 for every `dtype`, so that a float64 oracle starts from the same values.
    """
    if scheme == "xavier":
        bound = math.sqrt(6 / (n_in + n_out))
        return uniform((n_out, n_in), bound, generator, dtype), torch.zeros(n_out, dtype=dtype)
    if scheme == "kaiming":
        bound = 1 / math.sqrt(n_in)
        return uniform((n_out, n_in), bound, generator, dtype), uniform((n_out,), bound, generator, dtype)
    raise ValueError(f"initialization must be xavier or kaiming, got {scheme!r}.")


def convolution_bound(shape: tuple[int, ...], scheme: str) -> float:
    """Return the largest absolute initial weight of a convolution (n_out, n_in, k, k) or linear layer (n_out, n_in)."""
    n_out, fan_in = shape[0], math.prod(shape[1:])
    fan_out = n_out * math.prod(shape[2:])
    return math.sqrt(6 / (fan_in + fan_out)) if scheme == "xavier" else 1 / math.sqrt(fan_in)


def uniform(shape: tuple[int, ...], bound: float, generator: torch.Generator, dtype: torch.dtype) -> Tensor:
    return ((2 * torch.rand(shape, generator=generator) - 1) * bound).to(dtype)


def normal(shape: tuple[int, ...], generator: torch.Generator, dtype: torch.dtype) -> Tensor:
    return torch.randn(shape, generator=generator).to(dtype)
