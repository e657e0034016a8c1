"""Every metric by name, and its values from what was measured."""

from studies.metrics.definitions import METRICS, run_metrics, static_metrics

__all__ = ["METRICS", "run_metrics", "static_metrics"]
