"""The definitions of the metrics."""

from __future__ import annotations

from studies.metrics.definitions import METRICS, SELECTED_BY


def test_every_metric_says_what_it_is() -> None:
    for name, metric in METRICS.items():
        assert metric.name == name
        assert metric.label
        assert metric.description.endswith((".", ")."))
    assert {*SELECTED_BY, *SELECTED_BY.values()} <= set(METRICS)
