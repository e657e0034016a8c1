"""The plane in which figures show single runs: quality against a cost."""

from __future__ import annotations

from dataclasses import dataclass

from reports.data.study_data import Quality
from reports.drawing.axes import Frame
from reports.drawing.scales import ContinuousScale
from studies.metrics.cost_axes import CostAxis


@dataclass(frozen=True)
class RunPlane:
    """What the figures of single runs share, so that a reader can switch between them.

    Attributes:
        x: the axis of `cost`; each figure has a y axis of its own.
    """

    quality: Quality
    cost: CostAxis
    frame: Frame
    x: ContinuousScale

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of a drawing."""
        return self.frame.width, self.frame.height
