"""`hnet benchmark`: published tables, run, counted and compared with what was measured."""

from __future__ import annotations

import logging
import os
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from studies import DEFAULT_URL
from sweeps.cli.option_groups import with_option_groups
from sweeps.cli.options import Data, Database, ObjectOutput, Output, RayCluster, RowsFormat
from sweeps.cli.sweep import messages
from sweeps.cli.usage import App

if TYPE_CHECKING:
    from reports.analysis.reproduction import CellComparison
    from studies.queries.studies import Studies
    from sweeps.benchmarking import Plan, Selection
    from sweeps.runner import Outcome

app = App(name="benchmark", help="Run published tables and compare what was measured with the print.")


TableName = Annotated[
    str,
    typer.Argument(help="Published table, such as vonoswald2020:table1; see: hnet benchmark ls", show_default=False),
]


@dataclass(frozen=True)
class Cells:
    """The cells of a published table that are asked for, and how they are trained."""

    table: TableName
    rows: Annotated[
        str | None, typer.Option(help="Only these rows, separated by commas.", show_default="all", metavar="A,B")
    ] = None
    columns: Annotated[
        str | None, typer.Option(help="Only these columns, separated by commas.", show_default="all", metavar="X,Y")
    ] = None
    seeds: Annotated[
        int | None,
        typer.Option(min=1, max=1000, help="Seeds of each training.", show_default="as published; 1 if less"),
    ] = None
    scale: Annotated[
        Literal["full", "reduced", "smoke"],
        typer.Option(help="full as published; reduced and smoke do less, and are labelled reduced everywhere."),
    ] = "full"


@app.command("ls")
def list_tables(
    table: Annotated[str | None, typer.Argument(help="List the cells of this table.", show_default=False)] = None,
    db: Database = DEFAULT_URL,
    data: Data = None,
    format: RowsFormat = "table",
    output: Output = None,
) -> None:
    """List the published tables and how many cells are measurable, measured and in agreement; or the cells of one.

    measured counts reduced runs too, agrees and differs only full ones. A cell that is not measurable has a reason in
    the table, or is unexplained: nothing is tied to it, or a component it needs is not installed.
    """
    from hnet_core.data import data_root
    from reports.analysis.measuring_trials import FinishedTrials
    from reports.analysis.reproduction import compare_cells
    from reports.data.published_tables import published_table, published_tables
    from studies.output.formats import say, write

    studies, root = _existing(db), data_root(data)
    trials = FinishedTrials(studies)
    if table is not None:
        chosen = published_table(table, studies)
        rows = [_cell_row(one, root) for one in compare_cells(chosen.cells, trials)]
        write(rows, list(rows[0]) if rows else [], format, output, chosen.caption)
        return
    rows = [_table_row(one.name, compare_cells(one.cells, trials), root) for one in published_tables(studies)]
    write(rows, list(rows[0]), format, output, "Published tables")
    if not any(row["measured"] for row in rows):
        say("this database has measured none of them; what this project measured is listed by: hnet list measured")


def _table_row(name: str, comparisons: list[CellComparison], root: Path) -> dict[str, Any]:
    from reports.analysis.measurability import is_measurable, unexplained
    from reports.analysis.reproduction import counts

    cells, verdicts = [one.cell for one in comparisons], counts(comparisons)
    return {
        "table": name,
        "cells": len(cells),
        "measurable": sum(is_measurable(cell, data=root) for cell in cells),
        "measured": sum(one.measurement is not None for one in comparisons),
        "agrees": verdicts["agrees"],
        "differs": verdicts["differs"],
        "unexplained": sum(unexplained(cell, data=root) is not None for cell in cells),
    }


def _cell_row(found: CellComparison, root: Path) -> dict[str, Any]:
    from reports.analysis.measurability import unexplained, why_not

    cell, measurement = found.cell, found.measurement
    ways = [way for way in cell.measured_by if why_not(way, data=root) is None]
    why = cell.reason or unexplained(cell, data=root) or (found.reason if measurement is not None else "")
    return {
        "row": cell.row,
        "column": cell.column,
        "published": cell.text,
        "measured": None if measurement is None else measurement.interval.mean,
        "n": 0 if measurement is None else measurement.interval.n,
        "verdict": found.verdict if measurement is not None else None,
        "detectable": None if found.difference is None else found.difference.half_width,
        "scale": found.scale or None,
        "measured_by": " or ".join(f"{way.configuration.name} ({way.metric})" for way in ways) or None,
        "why": why or None,
    }


@app.command()
@with_option_groups
def run(
    cells: Cells,
    db: Database = DEFAULT_URL,
    data: Data = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Training processes at a time.", show_default="one per CPU core")
    ] = None,
    *,
    cluster: RayCluster,
) -> None:
    """Train what a published table needs, each training once; repeat the command to continue an interrupted run.

    Cells that any study of the database has measured already are not trained again. The study is called after the
    table, such as vonoswald2020:table1:smoke. Exit code 4: it is finished, but trainings have failed.
    """
    from hnet_core.data import data_root
    from sweeps.benchmarking import describe, make_plan, run_plan
    from sweeps.provenance import command_line

    studies, root = _existing(db, upgrade=True), data_root(data)
    plan = make_plan(_selection(cells, studies), studies, root)
    with messages():
        for line in describe(plan, studies):
            logging.getLogger("hnet").info("%s", line)
        try:
            outcomes = run_plan(plan, db, studies, root, workers, cluster.address, cluster.storage)
        except KeyboardInterrupt:
            print(f"Abandoned. Continue with: {command_line()}", file=sys.stderr)
            raise typer.Exit(130) from None
    _print_end(plan, outcomes, db)


@app.command()
@with_option_groups
def check(
    cells: Cells,
    db: Database = DEFAULT_URL,
    data: Data = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Number of workers to estimate for.")] = None,
    *,
    result: ObjectOutput,
) -> None:
    """Check whether the cells of a table can be measured here, and estimate how long that takes; nothing is written.

    The time is rough: some trainings are timed for some steps, within about a minute, and the others count as their
    mean.
    """
    from hnet_core.data import data_root
    from sweeps.benchmark_estimate import estimate_plan
    from sweeps.benchmarking import make_plan

    result.check()
    studies, root = _existing(db), data_root(data)
    plan = make_plan(_selection(cells, studies), studies, root)
    result.write(estimate_plan(plan, studies, root, workers), f"{cells.table}, scale {cells.scale}")


def _selection(cells: Cells, studies: Studies | None) -> Selection:
    from reports.data.cell_names import choose_names
    from reports.data.published_tables import published_table
    from sweeps.benchmarking import Selection

    chosen = published_table(cells.table, studies)
    rows = choose_names(cells.rows, chosen.rows, "--rows")
    columns = choose_names(cells.columns, chosen.columns, "--columns")
    return Selection(chosen, rows, columns, cells.scale, cells.seeds)


def _print_end(plan: Plan, outcomes: list[Outcome], db: str) -> None:
    from studies.database.urls import mask_passwords
    from sweeps.provenance import command_line

    if outcomes and outcomes[-1].stopped:
        print(f"Stopped. Continue with: {command_line()}", file=sys.stderr)
        raise typer.Exit(130 if outcomes[-1].interrupted else 0)
    typed = db != (os.environ.get("HNET_DB") or DEFAULT_URL)
    where = f" --db {shlex.quote(mask_passwords(db))}" if typed else ""
    table = plan.selection.table.name
    print(f"Finished. Look at it: hnet benchmark report {shlex.quote(table)}{where} -o report", file=sys.stderr)
    failed = [one for one in outcomes if one.counters.failed or one.counters.seeds_failed]
    for one in failed:
        print(f"Trainings failed; why: hnet study trials {shlex.quote(one.study)}{where}", file=sys.stderr)
    if failed:
        raise typer.Exit(4)


@app.command()
def report(
    table: TableName,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to write to; made if it does not exist.")],
    study: Annotated[
        list[str] | None, typer.Option("--study", help="Look only in this study; may be given again.")
    ] = None,
    db: Database = DEFAULT_URL,
) -> None:
    """Write the report of a published table beside what this database measured; the same as hnet report paper."""
    import studies
    from reports import REPORTS

    names = {} if study is None else {"names": study}
    typer.echo(REPORTS["paper"].write(studies.open(db), table, output, **names))


@app.command()
def add(
    file: Annotated[
        Path,
        typer.Argument(
            help="YAML file of a paper; its numbers are in the CSV file of the same name beside it.", show_default=False
        ),
    ],
    db: Database = DEFAULT_URL,
    data: Data = None,
    replace: Annotated[bool, typer.Option("--replace", help="Put it in the place of tables of the same name.")] = False,
) -> None:
    """Check published tables of one's own and keep them in the database; the form is described in docs/benchmarks.md.

    The tables are called after the file: mine.yaml with a table t1 adds mine:t1. Exit code 2: the file is wrong, with
    the line of every error.
    """
    from hnet_core.data import data_root
    from reports.analysis.measurability import is_measurable, unexplained
    from reports.data.own_tables import read_own_tables
    from studies.database.open_database import connect
    from studies.output.formats import say
    from studies.store.benchmarks import keep_benchmark

    root = data_root(data)
    own = read_own_tables(file)
    added = keep_benchmark(connect(db, create=True), own.name, own.content, own.cells, replace)
    for table in own.tables:
        measurable = sum(is_measurable(cell, data=root) for cell in table.cells)
        say(
            f"{'added' if added else 'known already:'} {table.name}: {len(table.cells)} cells, {measurable} measurable."
        )
        for why in dict.fromkeys(filter(None, (unexplained(cell, data=root) for cell in table.cells))):
            say(f"not measurable here: {why}.")


@app.command("rm")
def remove(
    paper: Annotated[str, typer.Argument(help="Name of the file that was added, without .yaml.", show_default=False)],
    db: Database = DEFAULT_URL,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
) -> None:
    """Remove the tables of a paper that was added; studies that were trained for them stay."""
    from hnet_core.errors import ConfigInvalid
    from studies.database.open_database import connect
    from studies.output.formats import say
    from studies.store.benchmarks import remove_benchmark

    engine = connect(db)
    if not yes:
        if not sys.stdin.isatty():
            raise ConfigInvalid(f"rm removes the tables of {paper} from the database; confirm with --yes.")
        typer.confirm(f"Remove the tables of {paper} from the database?", abort=True)
    remove_benchmark(engine, paper)
    say(f"removed the tables of {paper}.")


def _existing(db: str, upgrade: bool = False) -> Studies | None:
    """Open the studies of a database; None where there is no such file yet."""
    from studies.database.open_database import connect
    from studies.database.urls import parse_url, sqlite_path
    from studies.queries.studies import Studies

    path = sqlite_path(parse_url(db))
    if path is not None and not path.exists():
        return None
    return Studies(connect(db, create=upgrade))
