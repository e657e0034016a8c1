"""Trials as flat rows, in the column names of `hnet study trials`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from reports.data.study_data import StudyData
from reports.data.trial import Trial
from reports.table import Columns
from studies.metrics.definitions import METRICS


def trial_row(trial: Trial, metrics: Iterable[str]) -> dict[str, Any]:
    """Return one trial as a flat, exact row."""
    numbers = {column: trial.metrics.number(column) for column in metric_columns(metrics)}
    return {"number": trial.number, "n": trial.n, **trial.params, **numbers}


def trial_table(data: StudyData, metrics: Iterable[str]) -> Columns:
    """Return every configuration, by column."""
    columns = data.columns
    return {
        "number": columns.numbers.tolist(),
        "n": [trial.n for trial in data.configurations],
        **{name: columns.parameter(name).each for name in data.parameters},
        **{column: columns.exact(column) for column in metric_columns(metrics)},
    }


def metric_columns(metrics: Iterable[str]) -> list[str]:
    """List each metric with the ends of its interval, if it has one."""
    return [
        column
        for metric in metrics
        for column in ((metric,) if is_count(metric) else (metric, f"{metric}.low", f"{metric}.high"))
    ]


def is_count(metric: str) -> bool:
    """Return whether a metric is the same for every seed, so that it has no interval."""
    return METRICS[metric].kind == "count"
