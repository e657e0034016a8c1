"""SQL views for any database tool: one row per run and one row per trial, metrics included.

They hold no data, so every upgrade drops and recreates them; a migration never names them. Their numbers come from
the summaries of `studies.database.stored_metrics`; a test compares them with `studies.metrics.definitions`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy.dialects import postgresql

from studies.database.count_columns import count_columns
from studies.metrics.definitions import COST_METRICS, METRICS

_METRIC_COMMENTS = {metric.name: metric.description for metric in METRICS.values()}


@dataclass(frozen=True)
class View:
    """One view: its name, what a row is, what each column holds, and its SELECT."""

    name: str
    comment: str
    columns: dict[str, str]
    select: str


def _columns(summary: str) -> str:
    """List the metrics in the order of METRICS: those of `summary`, weight counts and costs."""
    counts = {name: _text(column) for name, column in count_columns().items()}
    costs = {name: f"nullif(run.{name}, 0)" for name in (COST_METRICS if summary == "run_summary" else ())}
    listed = [(counts | costs).get(name, f"{summary}.{name}") for name in METRICS]
    named = [
        text if text.endswith(f".{name}") else f"{text} AS {name}" for text, name in zip(listed, METRICS, strict=True)
    ]
    return ",\n       ".join(named)


def _text(column: ColumnElement[Any]) -> str:
    """Return SQL that SQLite and PostgreSQL both read, types in lower case as in docs/schema.md."""
    compiled = column.compile(dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True})  # type: ignore[no-untyped-call]
    return str(compiled).replace("DOUBLE PRECISION", "double precision")


RUN_METRICS = View(
    name="run_metrics",
    comment="One row per finished run (trial and seed) with every metric; NULL where a metric is not defined.",
    columns={
        "study_id": "the study",
        "study": "name of the study",
        "number": "trial",
        "seed": "seed of the run",
        "state": "state of the trial",
        "config_hash": "identity of the configuration",
        "params": "the searched values by dotted name, JSON",
        "measure": "accuracy or mse",
        "n_tasks": "tasks in the stream, T",
        **_METRIC_COMMENTS,
    },
    select=f"""
SELECT trial.study_id, study.name AS study, trial.number, run.seed, trial.state, trial.config_hash, trial.params,
       trial.measure, run.n_tasks,
       {_columns("run_summary")}
FROM run
JOIN trial ON trial.study_id = run.study_id AND trial.number = run.number
JOIN study ON study.id = run.study_id
LEFT JOIN run_summary ON run_summary.run_id = run.id
WHERE trial.state <> 'PRUNED'
""".strip(),
)

TRIAL_METRICS = View(
    name="trial_metrics",
    comment="One row per trial in any state: each metric is the mean over its seeds, NULL where there is none. "
    "A duplicate shows the numbers of its original.",
    columns={
        "study_id": "the study",
        "study": "name of the study",
        "number": "trial",
        "state": "state of the trial",
        "reason": "why it was skipped, pruned or failed",
        "duplicate_of": "trial whose runs count here",
        "config_hash": "identity of the configuration",
        "params": "the searched values by dotted name, JSON",
        "measure": "accuracy or mse",
        "n": "finished seeds",
        **_METRIC_COMMENTS,
    },
    select=f"""
SELECT trial.study_id, study.name AS study, trial.number, trial.state, trial.reason, trial.duplicate_of,
       trial.config_hash, trial.params, trial.measure, coalesce(trial_summary.n, 0) AS n,
       {_columns("trial_summary")}
FROM trial
JOIN study ON study.id = trial.study_id
LEFT JOIN trial_summary ON trial_summary.study_id = trial.study_id
                       AND trial_summary.number = coalesce(trial.duplicate_of, trial.number)
""".strip(),
)

# In the order they are made: a later one may read an earlier one.
VIEWS = (RUN_METRICS, TRIAL_METRICS)
