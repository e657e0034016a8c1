"""Close-ups of a front that fills a small part of its figure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reports.drawing.scales import ContinuousScale

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CLOSE_UP_BELOW = 0.45


def fills_little(full: tuple[ContinuousScale, ContinuousScale], own: tuple[ContinuousScale, ContinuousScale]) -> bool:
    """Return whether the domains of two scales, x and y, take a small share of one of the axes of the whole figure."""
    shares = [
        abs(axis(part.domain[1]) - axis(part.domain[0])) / abs(axis.pixels[1] - axis.pixels[0])
        for axis, part in zip(full, own, strict=True)
    ]
    return min(shares) <= CLOSE_UP_BELOW


def are_within(scale: ContinuousScale, values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return a mask of the values that are on an axis, (n_values,)."""
    return (scale.domain[0] <= values) & (values <= scale.domain[1])


def is_within(scale: ContinuousScale, value: float) -> bool:
    """Return whether a value is on an axis."""
    return scale.domain[0] <= value <= scale.domain[1]
