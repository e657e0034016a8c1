"""Definitions of all metrics, and their values from the raw measurements."""

from studies.metrics.definitions import METRICS
from studies.metrics.values import run_metrics, static_metrics

__all__ = ["METRICS", "run_metrics", "static_metrics"]
