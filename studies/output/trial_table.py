"""Columns and cells of printed trials; a metric is shown with its interval."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from studies.metrics.definitions import METRICS, WHOLE
from studies.output.formats import plain
from studies.queries.record import StudyRecord
from studies.queries.row_selection import Rows
from studies.queries.trial_columns import PARTS

TRIAL_COLUMNS = ["number", "state", "reason", "duplicate_of", "attempt", "n", *PARTS]
TAIL_COLUMNS = ["config_hash", "measure", "created_at", "finished_at"]


def printed(trials: Rows) -> list[dict[str, Any]]:
    """Return one dict per trial; a metric is {"mean", "low", "high", "n"}, a count of weights or bytes an integer."""
    rows = [plain(row) for row in trials.dicts()]
    seeds_of = trials.seeds_of or [{}] * len(rows)
    return [
        {**row, **{name: _metric(name, row, seeds.get(name, row["n"])) for name in METRICS}}
        for row, seeds in zip(rows, seeds_of, strict=True)
    ]


def json_columns() -> list[str]:
    """Return the columns of a trial as JSON: the searched values together under `params`."""
    return [*TRIAL_COLUMNS, "params", *METRICS, *TAIL_COLUMNS]


def csv_columns(trials: Rows) -> list[str]:
    """Return the columns of a trial as CSV: each searched value in its own column."""
    return [*TRIAL_COLUMNS, *trials.params(), *METRICS, *TAIL_COLUMNS]


def table_columns(rows: Sequence[dict[str, Any]], trials: Rows, record: StudyRecord, x: str | None = None) -> list[str]:
    """Return the columns of a printed table: settings that differ between trials, objectives, forgetting.

    Args:
        x: a cost that decides what is listed, beside the objectives.
    """
    searched = [column for column in trials.params() if len(rows) == 1 or _varies(row[column] for row in rows)]
    varying = [*(part for part in PARTS if _varies(row[part] for row in rows)), *searched]
    metrics = dict.fromkeys([*_objectives(record, x), *record.constraints, "forgetting"])
    shown = [name for name in metrics if name in METRICS and any(_known(row[name]) for row in rows)]
    remarks = [column for column in ("reason", "duplicate_of") if any(row[column] is not None for row in rows)]
    return ["number", "state", *varying, *shown, *remarks]


def _objectives(record: StudyRecord, x: str | None) -> list[str]:
    """Return the objectives; a cost that decides what is listed comes right after the measure of quality."""
    if x is None:
        return list(record.objectives)
    qualities = [name for name in record.objectives if name.startswith("final_")]
    return list(dict.fromkeys([*qualities, x, *record.objectives]))


def by_importance(
    columns: Sequence[str], rows: Sequence[dict[str, Any]], record: StudyRecord, x: str | None = None
) -> list[str]:
    """Return the columns of a printed table of trials, the most important one first; `x` as in `table_columns`.

    These are the objectives, then the searched values, then what limits or explains them.
    """
    last = [*record.constraints, "forgetting", *PARTS, "reason", "duplicate_of", "state"]
    state = ["state"] if _varies(row["state"] for row in rows) else []
    first = [name for name in ("number", *_objectives(record, x), *state) if name in columns]
    end = [name for name in dict.fromkeys(last) if name in columns and name not in first]
    return [*first, *(name for name in columns if name not in {*first, *end}), *end]


def configuration_columns(rows: Sequence[dict[str, Any]], format: str) -> list[str]:
    """Return the columns of a configuration across studies; a table omits absent metrics and the config."""
    head = ["stream", "dataset", "n_tasks", "method", "target", "hypernet", "config_hash", "studies", "n"]
    if format != "table":
        return [*head, "config", *METRICS, "measure"]
    shown = ("final_accuracy", "final_mse", "forgetting", "compression_ratio")
    return [*head, *(name for name in shown if any(_known(row[name]) for row in rows))]


CONFIGURATIONS_BY_IMPORTANCE = (
    "method", "final_accuracy", "final_mse", "compression_ratio", "n_tasks", "stream", "dataset", "studies", "n",
    "forgetting", "config_hash", "target", "hypernet",
)  # fmt: skip


def _metric(name: str, row: dict[str, Any], n_seeds: int) -> Any:
    value = row[name]
    if name in WHOLE:
        return value
    n = 0 if value is None else n_seeds
    if METRICS[name].kind == "count":  # the same for each seed, so its interval is a point
        bound = value if n > 1 else None
        return {"mean": value, "low": bound, "high": bound, "n": n}
    return {"mean": value, "low": row[f"{name}.low"], "high": row[f"{name}.high"], "n": n}


def _known(metric: Any) -> bool:
    return metric is not None and (not isinstance(metric, dict) or metric["mean"] is not None)


def _varies(values: Iterable[Any]) -> bool:
    return len({str(value) for value in values}) > 1
