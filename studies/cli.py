"""`hnet study`: asks the study database. Heavy packages are imported by the command that needs them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hnet_core.errors import ConfigInvalid
from studies import DEFAULT_URL
from studies.output import Format, say, write, write_object

if TYPE_CHECKING:
    import pandas as pd

    from studies.queries import Studies
    from studies.record import StudyRecord

app = typer.Typer(
    name="study",
    help="Ask the study database: studies, trials, fronts, and anything else in SQL.",
    no_args_is_help=True,
)

Name = Annotated[str, typer.Argument(help="Name of the study, see: hnet study ls", show_default=False)]
Database = Annotated[
    str, typer.Option("--db", envvar="HNET_DB", help="File, sqlite:///FILE or postgresql://USER@HOST/NAME.")
]
Shape = Annotated[Format, typer.Option("--format", help="table for people; json and csv are exact.")]
ExportShape = Annotated[Format, typer.Option("--format", help="csv, json or jsonl (one object a line).")]
Output = Annotated[Path | None, typer.Option("--output", "-o", help="File to write instead of standard output.")]
Where = Annotated[
    str | None, typer.Option(help="Condition on columns, such as \"compression_ratio < 0.2 and method == 'hnet'\".")
]
Sort = Annotated[str | None, typer.Option(help="Columns, minus for descending, such as -final_accuracy,number.")]
Limit = Annotated[int | None, typer.Option(min=1, help="At most so many rows.", show_default=False)]


@app.command("ls")
def list_studies(
    db: Database = DEFAULT_URL,
    format: Shape = "table",
    output: Output = None,
    where: Where = None,
    sort: Sort = None,
    limit: Limit = None,
) -> None:
    """List the studies of a database."""
    from studies.frames import select_rows

    frame = select_rows(_open(db).studies(), where, sort, limit)
    if format == "table":
        frame = frame.drop(columns=[state for state in ("running", "pruned", "skipped") if not frame[state].any()])
    _write_frame(frame, format, output, "Studies")


@app.command()
def show(
    name: Name,
    number: Annotated[int | None, typer.Argument(help="Trial to show whole.", show_default=False)] = None,
    db: Database = DEFAULT_URL,
    format: Shape = "table",
    output: Output = None,
) -> None:
    """Show one study, or one trial of it with its configuration, runs and traceback."""
    from studies.summary import study_summary, trial_summary

    found = _open(db)
    if number is None:
        write_object(study_summary(found, name), format, output, f"Study {name}")
    else:
        write_object(trial_summary(found, name, number), format, output, f"Trial {number} of {name}")


@app.command()
def trials(
    name: Name,
    db: Database = DEFAULT_URL,
    format: Shape = "table",
    output: Output = None,
    where: Where = None,
    sort: Sort = None,
    limit: Limit = None,
) -> None:
    """List the trials of a study, each metric as mean, 95 % t interval and number of seeds."""
    found = _open(db)
    _write_trials(found.trials(name, where, sort, limit), found.study(name), format, output, f"Trials of {name}")


@app.command()
def front(
    name: Name,
    db: Database = DEFAULT_URL,
    format: Shape = "table",
    output: Output = None,
    where: Where = None,
    sort: Sort = None,
    limit: Limit = None,
) -> None:
    """List the best trade-offs: the trials no other one beats in every objective."""
    from studies.frames import select_rows

    found = _open(db)
    chosen = select_rows(found.front(name), where, sort, limit)
    _write_trials(chosen, found.study(name), format, output, f"Pareto front of {name}")


@app.command()
def export(
    name: Name,
    rows: Annotated[
        str, typer.Option(help="runs (one row a seed), trials (means over seeds) or evaluations (raw matrices).")
    ] = "runs",
    db: Database = DEFAULT_URL,
    format: ExportShape = "csv",
    output: Output = None,
    where: Where = None,
    sort: Sort = None,
    limit: Limit = None,
) -> None:
    """Write everything measured in a study, for use in other programs."""
    from studies.frames import select_rows

    if format == "table":
        raise ConfigInvalid(
            "--format of export must be csv, json or jsonl, got table; see hnet study trials for a table."
        )
    found = _open(db)
    if rows == "trials":
        _write_trials(found.trials(name, where, sort, limit), found.study(name), format, output, None)
        return
    if rows not in ("runs", "evaluations"):
        raise ConfigInvalid(f"--rows must be runs, trials or evaluations, got {rows!r}.")
    frame = found.runs(name) if rows == "runs" else found.evaluations(name)
    _write_frame(select_rows(frame, where, sort, limit), format, output)


@app.command()
def sql(
    query: Annotated[str, typer.Argument(help="One SQL statement that only reads; docs/schema.md names the tables.")],
    db: Database = DEFAULT_URL,
    format: Shape = "table",
    output: Output = None,
    where: Where = None,
    sort: Sort = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many rows.")] = 1000,
) -> None:
    """Run one SQL statement that only reads, for at most 30 seconds."""
    from studies.frames import select_rows

    found = _open(db).sql(query, limit)
    if found.attrs["truncated"]:
        say(f"only the first {limit} rows are shown; ask for more with --limit.")
    _write_frame(select_rows(found, where, sort), format, output)


@app.command()
def upgrade(db: Database = DEFAULT_URL) -> None:
    """Bring the database of an older hnet up to date; one that is up to date stays as it is."""
    from studies.database import SchemaOutdated, connect

    try:
        connect(db)
        say("the database is up to date.")
    except SchemaOutdated:
        connect(db, create=True)
        say("the database was upgraded.")


def _open(db: str) -> Studies:
    import studies

    return studies.open(db)


def _write_frame(frame: pd.DataFrame, format: Format, output: Path | None, title: str | None = None) -> None:
    rows = [{str(column): value for column, value in row.items()} for row in frame.to_dict("records")]
    write(rows, [str(column) for column in frame.columns], format, output, title)


def _write_trials(
    trials: pd.DataFrame, record: StudyRecord, format: Format, output: Path | None, title: str | None
) -> None:
    from studies.rows import csv_columns, json_columns, table_columns, trial_rows

    columns: list[str]
    if format == "table":
        columns = table_columns(trials, record)
    else:
        columns = csv_columns(trials) if format == "csv" else json_columns()
    rows: list[dict[str, Any]] = trial_rows(trials)
    write(rows, columns, format, output, title)
