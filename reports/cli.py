"""`hnet report ...`: pages about finished studies."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from studies import DEFAULT_URL

app = typer.Typer(name="report", no_args_is_help=True, help="Write a report about a study as one offline HTML page.")

DbOption = Annotated[str, typer.Option("--db", envvar="HNET_DB", help="database URL, or the path of a SQLite file")]


@app.callback()
def report() -> None:
    """Write a report about a study as one offline HTML page."""


@app.command()
def tradeoff(
    study: Annotated[str, typer.Argument(help="name of the study; `hnet study ls` lists them")],
    output: Annotated[Path, typer.Option("--output", "-o", help="folder to write to; made if it does not exist")],
    db: DbOption = DEFAULT_URL,
) -> None:
    """How far can it be compressed, and what does that cost? Writes tradeoff.html, a CSV per figure and report.json."""
    import studies
    from reports.tradeoff import write

    typer.echo(write(studies.open(db), study, output))
