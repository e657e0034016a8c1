"""Full float32 precision of products where differences of weights are formed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

_BACKENDS = (torch.backends.cuda.matmul, torch.backends.mkldnn.matmul)  # type: ignore[attr-defined]


@contextmanager
def full_float32() -> Iterator[None]:
    """Turn TF32 and bfloat16 off in float32 matrix products within the block.

    A weight drifts by about 1e-3 of itself while TF32 rounds at 5e-4: h(e, theta) - h(e, theta*) would be mostly noise.
    """
    before = [backend.fp32_precision for backend in _BACKENDS]
    for backend in _BACKENDS:
        backend.fp32_precision = "ieee"
    try:
        yield
    finally:
        for backend, precision in zip(_BACKENDS, before, strict=True):
            backend.fp32_precision = precision
