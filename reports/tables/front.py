"""Table of the Pareto front: metrics, costs and parameter values of each member."""

from __future__ import annotations

from reports.data.study_data import StudyData
from reports.data.thinning import evenly_spaced
from reports.formatting import count_text
from reports.table import (
    Row,
    Table,
    columns_of,
    cost_column,
    count_column,
    integer_column,
    mean_column,
    mean_columns,
    memory_column,
    number_column,
    parameter_columns,
)
from reports.tables.trial_rows import trial_row
from studies.metrics.definitions import METRICS

NAME = "front"
MAX_ROWS = 200


def front_table(data: StudyData) -> Table:
    """Build the table: members by growing cost, with the parameters in which finished configurations differ."""
    quality = data.quality
    rows = front_rows(data)
    targets = {row["target_weights"] for row in rows}
    is_one_target = len(targets) == 1
    columns = [
        integer_column("number", "trial"),
        cost_column(data.x, hint=METRICS[data.x.metric].description),
        *mean_columns(quality.final, "final", METRICS[quality.final].description),
        integer_column("n", "n", "seeds"),
        *([mean_column(quality.during, "during", METRICS[quality.during].description)] if data.has_during else []),
        *([mean_column("forgetting", "forgetting", METRICS["forgetting"].description)] if _forgets(data) else []),
        *parameter_columns(data.varied, columns_of(rows)),
        count_column("model_weights", "weights", METRICS["model_weights"].description),
        *([] if is_one_target else [count_column("target_weights", "target", METRICS["target_weights"].description)]),
        number_column("seconds", "time (s)", METRICS["seconds"].description),
        *([memory_column("memory_bytes", "replay memory (MiB)")] if any(row["memory_bytes"] for row in rows) else []),
        number_column("peak_memory_mib", "peak memory (MiB)", METRICS["peak_memory_mib"].description),
    ]
    caption = f"The front by growing {data.x.word}."
    if is_one_target:
        caption += f" The target network has {count_text(targets.pop())} weights."
    if quality.has_validation:
        caption += " Members were chosen on the validation split; the numbers are those of the test split."
    columns = list({column.key: column for column in columns}.values())  # the cost may be one of the others
    shown = {trial.number for trial in evenly_spaced(data.front, MAX_ROWS)}
    kept = [row for row in rows if row["number"] in shown]
    return Table(NAME, caption, columns, kept, left_out=len(rows) - len(kept), key="number")


def front_rows(data: StudyData) -> list[Row]:
    """List every metric of every member, exact."""
    return [trial_row(trial, METRICS) for trial in data.front]


def _forgets(data: StudyData) -> bool:
    return any(trial.mean("forgetting") is not None for trial in data.front)
