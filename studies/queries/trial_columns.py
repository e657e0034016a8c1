"""Columns of the tables of runs and trials as SQL."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, FromClause, case, func

from studies.database.count_columns import count_columns
from studies.database.schema import run, run_summary, trial, trial_summary
from studies.metrics.definitions import COST_METRICS, METRICS
from studies.statistics.interval import ROUNDING

PARTS = ("method", "stream", "target", "hypernet")


def part_columns() -> dict[str, ColumnElement[Any]]:
    """Return the names of method, stream, target and hypernetwork."""
    return {part: trial.c.config[(part, "name")].as_string() for part in PARTS}


def trial_columns() -> dict[str, ColumnElement[Any]]:
    """Return the columns of the table of trials; the searched values are in the column params."""
    metrics: dict[str, ColumnElement[Any]] = {}
    counts = count_columns()
    for name in METRICS:
        if name in counts:
            metrics[name] = counts[name]
        else:
            metrics |= _with_bounds(name)
    head = [trial.c.number, trial.c.state, trial.c.reason, trial.c.duplicate_of, trial.c.attempt]
    tail = [trial.c.config_hash, trial.c.measure, trial.c.launch_id, trial.c.created_at, trial.c.finished_at]
    return {
        **{column.name: column for column in head},
        "n": func.coalesce(trial_summary.c.n, 0),
        **part_columns(),
        **metrics,
        "params": trial.c.params,
        **{column.name: column for column in tail},
    }


def _with_bounds(name: str) -> dict[str, ColumnElement[Any]]:
    """Return the mean of a metric and its interval as `studies.statistics.intervals.bounded` cuts it off."""
    mean, low, high = (trial_summary.c[name + end] for end in ("", "_low", "_high"))
    lowest, highest = METRICS[name].lowest, METRICS[name].highest
    size = highest - lowest if math.isfinite(highest - lowest) else 0.0
    is_point = high - low <= ROUNDING * (func.abs(low) + func.abs(high) + size)
    below = [(low < lowest, lowest)] if math.isfinite(lowest) else []
    above = [(high > highest, highest)] if math.isfinite(highest) else []
    return {
        name: mean,
        f"{name}.low": case((is_point, mean), *below, else_=low),
        f"{name}.high": case((is_point, mean), *above, else_=high),
    }


def run_columns() -> dict[str, ColumnElement[Any]]:
    """Return the columns of the table of runs; the searched values are in the column params."""
    kept = {
        **{column.name: column for column in run_summary.c},
        **{name: func.nullif(run.c[name], 0) for name in COST_METRICS},
        **count_columns(),
    }
    head = [trial.c.number, run.c.seed, trial.c.config_hash, trial.c.measure, run.c.n_tasks]
    tail = [run.c.device, run.c.threads, run.c.data_checksum]
    return {
        **{column.name: column for column in head},
        **{name: kept[name] for name in METRICS},
        "params": trial.c.params,
        **{column.name: column for column in tail},
    }


def with_summary() -> FromClause:
    """Join each trial with the summary of its runs, a duplicate with that of its original."""
    source = func.coalesce(trial.c.duplicate_of, trial.c.number)
    same = (trial_summary.c.study_id == trial.c.study_id) & (trial_summary.c.number == source)
    return trial.outerjoin(trial_summary, same)


def setting_column(name: str) -> str:
    """The column a setting is shown in: its name, or `params.NAME` where a column of trials or runs has that name."""
    return f"params.{name}" if name in _own_columns() else name


@cache
def _own_columns() -> frozenset[str]:
    return frozenset({*trial_columns(), *run_columns()})
