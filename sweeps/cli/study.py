"""`hnet study`: reads the study database. Heavy packages are imported by the command that needs them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from hnet_core.errors import ConfigInvalid
from studies import DEFAULT_URL
from studies.output.formats import Format, emit, say, write, write_object
from sweeps.cli.option_groups import with_option_groups
from sweeps.cli.options import Database, Output, RowOptions, RowsFormat, StudyName
from sweeps.cli.usage import App

if TYPE_CHECKING:
    from studies.queries.record import StudyRecord
    from studies.queries.row_selection import Rows
    from studies.queries.studies import Studies

app = App(name="study", help="Query the study database: studies, trials, fronts, and anything else in SQL.")

ExportFormat = Literal["csv", "json", "jsonl", "parquet"]
ExportShape = Annotated[
    ExportFormat | None,
    typer.Option(
        "--format", help="csv, json, jsonl (one object a line) or parquet.", show_default="csv; json for matrices"
    ),
]


@app.command("ls")
@with_option_groups
def list_studies(
    db: Database = DEFAULT_URL,
    format: RowsFormat = "table",
    output: Output = None,
    *,
    which: RowOptions,
    tag: Annotated[str | None, typer.Option(help="Only studies with this tag.", show_default=False)] = None,
    all_: Annotated[bool, typer.Option("--all", help="Archived studies too.")] = False,
) -> None:
    """List the studies of a database; archived ones only with --all."""
    studies = _open(db)
    found = studies.study_rows(**vars(which), tag=tag, archived=all_)
    rows = list(found.dicts())
    columns = found.columns
    if format == "table":
        optional = ("running", "pruned", "skipped", "tags", "archived_at")
        columns = [name for name in columns if name not in optional or any(row[name] for row in rows)]
    write(rows, columns, format, output, "Studies")
    for row in rows:
        stale = studies.study(row["name"]).stale_trials(row["running"]) if row["running"] else None
        if stale is not None:
            print(f"{row['name']}: {stale}", file=sys.stderr)


@app.command()
def show(
    name: StudyName,
    number: Annotated[int | None, typer.Argument(help="Trial to show in full.", show_default=False)] = None,
    db: Database = DEFAULT_URL,
    format: RowsFormat = "table",
    output: Output = None,
    joint: Annotated[
        str | None,
        typer.Option(help="STUDY:NUMBER trained on all tasks at once; adds intransigence.", show_default=False),
    ] = None,
) -> None:
    """Show one study, or one trial of it with its configuration, runs and traceback."""
    from studies.output.summaries import study_summary, trial_summary

    found = _open(db)
    if number is None:
        if joint is not None:
            raise ConfigInvalid(
                f"--joint is for one trial, got no number: hnet study show {name} NUMBER --joint {joint}"
            )
        write_object(study_summary(found, name), format, output, f"Study {name}")
    else:
        write_object(trial_summary(found, name, number, joint), format, output, f"Trial {number} of {name}")


@app.command()
@with_option_groups
def trials(
    name: StudyName,
    db: Database = DEFAULT_URL,
    format: RowsFormat = "table",
    output: Output = None,
    *,
    which: RowOptions,
) -> None:
    """List the trials of a study, each metric as mean, 95 % t interval and number of seeds."""
    found = _open(db)
    _write_trials(found.trial_rows(name, **vars(which)), found.study(name), format, output, f"Trials of {name}")


@app.command()
@with_option_groups
def front(
    name: StudyName,
    db: Database = DEFAULT_URL,
    format: RowsFormat = "table",
    output: Output = None,
    x: Annotated[
        str | None,
        typer.Option(
            "--x",
            help="The front of quality and this cost, such as seconds, as on a trade-off report with --x.",
            show_default="the objectives",
        ),
    ] = None,
    *,
    which: RowOptions,
) -> None:
    """List the Pareto front: the trials that no other trial dominates."""
    found = _open(db)
    chosen = found.front_rows(name, **vars(which), x=x)
    why_none = None if chosen.values else found.choice(name, x).why_none
    if why_none is not None:
        say(f"the front of {name} is empty: {why_none}.")
    _write_trials(chosen, found.study(name), format, output, f"Pareto front of {name}", x)


@app.command()
@with_option_groups
def configurations(
    db: Database = DEFAULT_URL,
    format: RowsFormat = "table",
    output: Output = None,
    *,
    which: RowOptions,
) -> None:
    """List every configuration measured in any study, with all its runs pooled."""
    from studies.output.trial_table import CONFIGURATIONS_BY_IMPORTANCE, configuration_columns, printed

    rows = printed(_open(db).configuration_rows(**vars(which)))
    columns = configuration_columns(rows, format)
    importance = [name for name in CONFIGURATIONS_BY_IMPORTANCE if name in columns]
    write(rows, columns, format, output, "Configurations", importance)


@app.command()
def compare(
    sides: Annotated[
        list[str],
        typer.Argument(
            help="STUDY:NUMBER, or STUDY for its best trial that meets the constraints, by validation.",
            show_default=False,
        ),
    ],
    db: Database = DEFAULT_URL,
    format: RowsFormat = "table",
    output: Output = None,
    metric: Annotated[str, typer.Option(help="Metric to compare; one that differs between seeds.")] = "final_accuracy",
    margin: Annotated[
        float | None,
        typer.Option(help="Largest difference that does not matter, in units of the metric.", show_default=False),
    ] = None,
) -> None:
    """Test which configuration is better: paired by seed, Holm-adjusted over all pairs."""
    from studies.comparing.configurations import compare as judge
    from studies.comparing.configurations import find_configuration
    from studies.statistics.intervals import few_seeds_remark

    found = _open(db)
    rows = judge(found, [find_configuration(found, text) for text in sides], metric, margin)
    columns = list(rows[0])
    if format == "table":
        columns = [
            "a",
            "b",
            "verdict",
            "mean_a",
            "mean_b",
            "difference",
            "p_holm",
            "p_sign_flip",
            "probability_a_better",
        ]
        n = {row["mean_a"]["n"] for row in rows if row["p_smallest"] is not None}
        say("; ".join(f"the smallest sign-flip p with {k} pairs is {2 / 2**k:.3g}" for k in sorted(n)) or "not paired")
        remark = few_seeds_remark(row[side]["n"] for row in rows for side in ("mean_a", "mean_b"))
        if remark is not None:
            say(f"{remark}.")
        for row in rows:
            if row["differ"]:
                say(f"{row['a']} and {row['b']} differ in {', '.join(row['differ'])}")
    by_importance = sorted(columns, key=lambda column: column.startswith("mean_"))  # the difference before them
    write(rows, columns, format, output, f"Comparison by {metric}", by_importance)


@app.command()
def diff(
    a: StudyName,
    b: StudyName,
    db: Database = DEFAULT_URL,
    format: RowsFormat = "table",
    output: Output = None,
) -> None:
    """Show what differs between the specs of two studies, defaults filled in on both sides."""
    from studies.comparing.comparability import differences
    from studies.spec.continuation import with_defaults

    found = _open(db)
    rows = differences(with_defaults(found.study(a).spec), with_defaults(found.study(b).spec))
    if format == "table":
        rows = [{"key": row["key"], a: row["a"], b: row["b"]} for row in rows]
    write(rows, list(rows[0]) if rows else ["key", "a", "b"], format, output, f"{a} against {b}")


@app.command()
@with_option_groups
def export(
    name: StudyName,
    rows: Annotated[
        str,
        typer.Option(
            help="runs (one row a seed), trials (means over seeds), evaluations (raw, to import) or matrices (one JSON "
            "file with configurations, raw matrices and provenance, to import)."
        ),
    ] = "runs",
    db: Database = DEFAULT_URL,
    format: ExportShape = None,
    output: Output = None,
    *,
    which: RowOptions,
) -> None:
    """Export everything measured in a study, for use in other programs."""
    found = _open(db)
    if rows == "matrices":
        if which != RowOptions():
            raise ConfigInvalid("--rows matrices is the whole study; leave out --where, --sort and --limit.")
        if format not in (None, "json"):
            raise ConfigInvalid(f"--rows matrices is one JSON file, got --format {format}; leave out --format.")
        emit(found.study_file(name), output)
        return
    if rows not in ("runs", "trials", "evaluations"):
        raise ConfigInvalid(f"--rows must be runs, trials, evaluations or matrices, got {rows!r}.")
    read = {"runs": found.run_rows, "trials": found.trial_rows, "evaluations": found.result_rows}[rows]
    if format == "parquet":
        from studies.output.parquet import write_parquet
        from studies.queries.row_selection import to_frame

        frame = to_frame(read(name, **vars(which)), nullable=True)
        write_parquet(frame.drop(columns="params") if rows == "runs" else frame, output)
    elif rows == "trials":
        _write_trials(found.trial_rows(name, **vars(which)), found.study(name), format or "csv", output, None)
    else:
        _write_rows(read(name, **vars(which)), format or "csv", output)


@app.command()
def sql(
    query: Annotated[str, typer.Argument(help="One SQL statement that only reads; docs/schema.md names the tables.")],
    db: Database = DEFAULT_URL,
    format: RowsFormat = "table",
    output: Output = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many rows.")] = 1000,
) -> None:
    """Run one SQL statement that only reads, for at most 30 seconds."""
    found = _open(db).sql_rows(query, limit)
    if found.truncated:
        say(f"only the first {limit} rows are shown; ask for more with --limit.")
    _write_rows(found, format, output)


def _open(db: str) -> Studies:
    import studies

    return studies.open(db)


def _write_rows(found: Rows, format: Format, output: Path | None) -> None:
    by_column = found.by_column()
    if found.searched is not None:
        del by_column["params"]  # each searched value has its own column
    rows = [dict(zip(by_column, row, strict=True)) for row in zip(*by_column.values(), strict=True)]
    write(rows, list(by_column), format, output)


def _write_trials(
    trials: Rows, record: StudyRecord, format: Format, output: Path | None, title: str | None, x: str | None = None
) -> None:
    from studies.output.trial_table import by_importance, csv_columns, json_columns, printed, table_columns
    from studies.statistics.intervals import few_seeds_remark

    rows = printed(trials)
    remark = few_seeds_remark(row["n"] for row in rows)
    if remark is not None:
        say(f"{remark}.")
    if format == "table":
        columns = table_columns(rows, trials, record, x)
    else:
        columns = csv_columns(trials) if format == "csv" else json_columns()
    write(rows, columns, format, output, title, by_importance(columns, rows, record, x))
