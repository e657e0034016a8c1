"""`hnet report ...`: pages about finished studies."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from studies import DEFAULT_URL

app = typer.Typer(name="report", no_args_is_help=True, help="Write reports about studies as offline HTML pages.")

OutOption = Annotated[Path, typer.Option("--output", "-o", help="folder to write to; made if it does not exist")]
DbOption = Annotated[str, typer.Option("--db", envvar="HNET_DB", help="database URL, or the path of a SQLite file")]


@app.callback()
def report() -> None:
    """Write reports about studies as offline HTML pages."""


@app.command()
def tradeoff(
    study: Annotated[str, typer.Argument(help="name of the study; `hnet study ls` lists them")],
    output: OutOption,
    db: DbOption = DEFAULT_URL,
) -> None:
    """How far can it be compressed, and what does that cost? Writes tradeoff.html, a CSV per figure and report.json."""
    import studies
    from reports.tradeoff import write

    typer.echo(write(studies.open(db), study, output))


@app.command()
def paper(
    table: Annotated[str, typer.Argument(help="published table, such as vonoswald2020:table1; see: hnet list tables")],
    output: OutOption,
    study: Annotated[list[str] | None, typer.Option(help="look only in this study; may be given again")] = None,
    db: DbOption = DEFAULT_URL,
) -> None:
    """Which published numbers does this database reproduce? Writes paper.html, paper.csv, paper.tex and report.json."""
    import studies
    from reports.paper_report import write

    typer.echo(write(studies.open(db), table, output, study))
