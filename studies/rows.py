"""Rows of trials and runs as the commands print them, made from the frames of `studies.queries`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from studies.frames import PARTS
from studies.metrics import METRICS, WHOLE
from studies.output import plain
from studies.record import StudyRecord

if TYPE_CHECKING:
    import pandas as pd

TRIAL_COLUMNS = ["number", "state", "reason", "duplicate_of", "attempt", "n", *PARTS]
TAIL_COLUMNS = ["config_hash", "measure", "created_at", "finished_at"]


def trial_rows(trials: pd.DataFrame) -> list[dict[str, Any]]:
    """One dict per trial; each metric is {"mean", "low", "high", "n"}, each count of weights or bytes an integer."""
    rows = [plain(record) for record in trials.to_dict("records")]
    return [{**row, **{name: _metric(name, row) for name in METRICS}} for row in rows]


def json_columns() -> list[str]:
    """What a trial holds as JSON: the searched values together under `params`."""
    return [*TRIAL_COLUMNS, "params", *METRICS, *TAIL_COLUMNS]


def csv_columns(trials: pd.DataFrame) -> list[str]:
    """What a trial holds as CSV: each searched value in its own column."""
    return [*TRIAL_COLUMNS, *_searched(trials), *METRICS, *TAIL_COLUMNS]


def table_columns(trials: pd.DataFrame, record: StudyRecord) -> list[str]:
    """What a person compares trials by: what differs between them, the objectives, forgetting."""
    searched = [column for column in _searched(trials) if len(trials) == 1 or _varies(trials[column])]
    varying = [*(part for part in PARTS if _varies(trials[part])), *searched]
    metrics = dict.fromkeys([*record.objectives, *record.constraints, "forgetting"])
    shown = [name for name in metrics if name in trials.columns and trials[name].notna().any()]
    remarks = [column for column in ("reason", "duplicate_of") if trials[column].notna().any()]
    return ["number", "state", *varying, *shown, *remarks]


def _metric(name: str, row: dict[str, Any]) -> Any:
    value = row[name]
    if name in WHOLE:  # a column with a missing count holds floats
        return None if value is None else int(value)
    n = 0 if value is None else row["n"]
    if METRICS[name].kind == "count":  # the same for each seed, so its interval is a point
        bound = value if n > 1 else None
        return {"mean": value, "low": bound, "high": bound, "n": n}
    return {"mean": value, "low": row[f"{name}.low"], "high": row[f"{name}.high"], "n": n}


def _searched(trials: pd.DataFrame) -> list[str]:
    columns = [str(column) for column in trials.columns]
    return columns[columns.index(PARTS[-1]) + 1 : columns.index(next(iter(METRICS)))]


def _varies(column: pd.Series[Any]) -> bool:
    return len({str(value) for value in column}) > 1
