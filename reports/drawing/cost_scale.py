"""The cost axis of all figures."""

from __future__ import annotations

from collections.abc import Sequence

from reports.drawing.scales import ContinuousScale, LinearScale, LogScale, ZeroLogScale, padded, padded_log
from studies.metrics.cost_axes import CostAxis


def cost_scale(
    x: CostAxis,
    costs: Sequence[float],
    pixels: tuple[float, float],
    share: float = 0.05,
    *,
    is_vertical: bool = False,
) -> ContinuousScale:
    """Return an axis over some costs: logarithmic, with a place for 0 where one is 0; of forgetting linear.

    Args:
        share: the margin on both sides, as a share of the axis.
    """
    if not x.is_log:
        return LinearScale(padded(min(costs), max(costs), share), pixels)
    positive = [cost for cost in costs if cost > 0]
    least, most = padded_log(positive or [x.unit_size], share)
    if len(positive) == len(costs):
        return LogScale((least, most), pixels, is_vertical, x.unit_size)
    return ZeroLogScale((0.0, most), pixels, least, is_vertical, x.unit_size)


def with_reference(x: CostAxis, costs: Sequence[float]) -> list[float]:
    """Return costs and the one that they are compared with, where there is one."""
    return [*costs, *([] if x.reference is None else [x.reference[0]])]
