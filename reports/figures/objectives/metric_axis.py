"""The axis of any objective, and its values as text."""

from __future__ import annotations

from collections.abc import Sequence

from reports.drawing.cost_scale import cost_scale
from reports.drawing.scales import ContinuousScale, LinearScale, LogScale, padded, padded_log
from reports.figures.quality_axis import accuracy_domain
from reports.formatting import cost_text, mean_text
from reports.table import Column, cost_column, mean_columns
from studies.metrics.cost_axes import COST_AXES
from studies.metrics.definitions import METRICS
from studies.statistics.interval import Interval


def metric_scale(
    metric: str, values: Sequence[float], pixels: tuple[float, float], *, is_vertical: bool = False
) -> ContinuousScale:
    """Return an axis over some values of an objective: logarithmic for costs and positive errors, else linear."""
    if metric in COST_AXES:
        return cost_scale(COST_AXES[metric], values, pixels, is_vertical=is_vertical)
    if METRICS[metric].measure == "accuracy":
        return LinearScale(accuracy_domain(values), pixels)
    if METRICS[metric].measure == "mse" and min(values) > 0:
        return LogScale(padded_log(values), pixels, is_vertical)
    return LinearScale(padded(min(values), max(values)), pixels)


def metric_label(metric: str) -> str:
    """Return the text along the axis of a small chart."""
    return COST_AXES[metric].short_label if metric in COST_AXES else METRICS[metric].label.lower()


def metric_text(metric: str, interval: Interval) -> str:
    """Format the mean of an objective with its name."""
    if metric in COST_AXES:
        return f"{COST_AXES[metric].word} {cost_text(COST_AXES[metric], interval.mean)}"
    return f"{METRICS[metric].label.lower()} {mean_text(interval)}"


def metric_columns(metric: str) -> list[Column]:
    """Make the columns of an objective: a cost in its unit, or a mean with its interval."""
    if metric in COST_AXES and COST_AXES[metric].is_log:
        return [cost_column(COST_AXES[metric], hint=METRICS[metric].description)]
    return mean_columns(metric, METRICS[metric].label.lower(), METRICS[metric].description)
