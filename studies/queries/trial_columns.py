"""Tables of runs and trials as SQL: what each column is called, what it is, and what may be asked of it."""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Double, FromClause, cast, func

from hnet_core.trial import BYTES_PER_WEIGHT
from studies.database.schema import run, run_summary, trial, trial_summary
from studies.metrics.definitions import METRICS

PARTS = ("method", "stream", "target", "hypernet")


def count_columns() -> dict[str, ColumnElement[Any]]:
    """The metrics of kind "count", from the weight counts of a trial."""
    model, hypernet, target = trial.c.model_weights, trial.c.hypernet_weights, trial.c.target_weights
    ratio = cast(model, Double) / target
    return {
        "compression_ratio": ratio,
        "compression_level": 1 - ratio,
        "hypernet_ratio": cast(hypernet, Double) / target,
        "model_weights": model,
        "hypernet_weights": hypernet,
        "target_weights": target,
        "trained_weights": trial.c.trained_weights,
        "weights_per_task": trial.c.weights_per_task,
        "model_bytes": BYTES_PER_WEIGHT * model + (trial.c.mask_bits + 7) // 8,
        "memory_bytes": trial.c.memory_bytes,
        "inference_multiply_adds": trial.c.inference_multiply_adds,
        "generation_multiply_adds": trial.c.generation_multiply_adds,
    }


def part_columns() -> dict[str, ColumnElement[Any]]:
    """The names of method, stream, target and hypernetwork."""
    return {part: trial.c.config[(part, "name")].as_string() for part in PARTS}


def trial_columns() -> dict[str, ColumnElement[Any]]:
    """A row of the table of trials, without the searched values: those lie in the column params."""
    metrics: dict[str, ColumnElement[Any]] = {}
    counts = count_columns()
    for name in METRICS:
        if name in counts:
            metrics[name] = counts[name]
        else:
            metrics |= {f"{name}{end.replace('_', '.')}": trial_summary.c[name + end] for end in ("", "_low", "_high")}
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


def run_columns() -> dict[str, ColumnElement[Any]]:
    """A row of the table of runs, without the searched values."""
    kept = {
        **{column.name: column for column in run_summary.c},
        "seconds": func.nullif(run.c.seconds, 0),
        **count_columns(),
    }
    kept["peak_memory_mib"] = func.nullif(run.c.peak_memory_mib, 0)
    head = [trial.c.number, run.c.seed, trial.c.config_hash, trial.c.measure, run.c.n_tasks]
    tail = [run.c.device, run.c.threads, run.c.data_checksum]
    return {
        **{column.name: column for column in head},
        **{name: kept[name] for name in METRICS},
        "params": trial.c.params,
        **{column.name: column for column in tail},
    }


def with_summary() -> FromClause:
    """Each trial with the summary of its runs; a duplicate with that of its original."""
    source = func.coalesce(trial.c.duplicate_of, trial.c.number)
    same = (trial_summary.c.study_id == trial.c.study_id) & (trial_summary.c.number == source)
    return trial.outerjoin(trial_summary, same)


def setting_column(name: str) -> str:
    """The column a setting is shown in: its name, or `params.NAME` where a column of trials or runs has that name."""
    return f"params.{name}" if name in _own_columns() else name


@cache
def _own_columns() -> frozenset[str]:
    return frozenset({*trial_columns(), *run_columns()})
