"""Trials as flat rows, in the column names of `hnet study trials`, and with the seeds of each metric as METRIC.n."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from reports.data.study_data import StudyData
from reports.data.trial import Trial
from reports.table import Columns
from studies.metrics.definitions import VARYING


def trial_row(trial: Trial, metrics: Iterable[str]) -> dict[str, Any]:
    """Return one trial as a flat, exact row."""
    names = list(metrics)
    numbers = {column: trial.metrics.number(column) for column in metric_columns(names)}
    seeds = {f"{name}.n": trial.metrics.n(name) for name in names if name in VARYING}
    return {"number": trial.number, "n": trial.n, **trial.params, **numbers, **seeds}


def trial_table(data: StudyData, metrics: Iterable[str]) -> Columns:
    """Return every configuration, by column."""
    columns, names = data.columns, list(metrics)
    return {
        "number": columns.numbers.tolist(),
        "n": [trial.n for trial in data.configurations],
        **{name: columns.parameter(name).each for name in data.parameters},
        **{column: columns.exact(column) for column in metric_columns(names)},
        **{f"{name}.n": [trial.metrics.n(name) for trial in data.configurations] for name in names if name in VARYING},
    }


def metric_columns(metrics: Iterable[str]) -> list[str]:
    """List each metric with the ends of its interval, if it has one."""
    return [
        column
        for metric in metrics
        for column in ((metric, f"{metric}.low", f"{metric}.high") if metric in VARYING else (metric,))
    ]
