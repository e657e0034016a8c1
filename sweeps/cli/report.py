"""`hnet report ...`: pages about finished studies."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from studies import DEFAULT_URL

app = typer.Typer(name="report", no_args_is_help=True, help="Write reports about studies as offline HTML pages.")

OutOption = Annotated[Path, typer.Option("--output", "-o", help="folder to write to; made if it does not exist")]
DbOption = Annotated[str, typer.Option("--db", envvar="HNET_DB", help="database URL, or the path of a SQLite file")]
FiguresOption = Annotated[
    bool, typer.Option("--figures", help="also PDF, PNG and SVG at the width of a paper; needs hnet-sweeps\\[paper]")
]


@app.callback()
def report() -> None:
    """Write reports about studies as offline HTML pages."""


@app.command()
def tradeoff(
    names: Annotated[
        list[str], typer.Argument(help="a study, or several to see side by side; `hnet study ls` lists them")
    ],
    output: OutOption,
    by: Annotated[
        list[str] | None, typer.Option(help="split by this field, such as hypernet.chunk_size; may be given again")
    ] = None,
    figures: FiguresOption = False,
    db: DbOption = DEFAULT_URL,
) -> None:
    """How far can it be compressed, and what does that cost? Writes tradeoff.html, a CSV per figure and report.json."""
    import studies
    from reports.pages import overlay as overlay_report
    from reports.pages import tradeoff

    found = studies.open(db)
    if len(names) == 1 and not by:
        typer.echo(tradeoff.write(found, names[0], output, figures=figures))
    else:
        typer.echo(overlay_report.write(found, names, output, by or (), figures=figures))


@app.command()
def paper(
    table: Annotated[str, typer.Argument(help="published table, such as vonoswald2020:table1; see: hnet list tables")],
    output: OutOption,
    study: Annotated[list[str] | None, typer.Option(help="look only in this study; may be given again")] = None,
    db: DbOption = DEFAULT_URL,
) -> None:
    """Which published numbers does this database reproduce? Writes paper.html, paper.csv, paper.tex and report.json."""
    import studies
    from reports.pages.published_table import write

    typer.echo(write(studies.open(db), table, output, study))


@app.command()
def compare(
    names: Annotated[list[str], typer.Argument(help="studies; STUDY:NUMBER is one configuration of a study")],
    output: OutOption,
    by: Annotated[
        list[str] | None, typer.Option(help="group trials by this field, such as method; may be given again")
    ] = None,
    metric: Annotated[
        str | None, typer.Option(help="what to compare", show_default="the final accuracy or error")
    ] = None,
    margin: Annotated[float | None, typer.Option(help="largest difference that does not matter, such as 0.005")] = None,
    figures: FiguresOption = False,
    db: DbOption = DEFAULT_URL,
) -> None:
    """Is one better than the other? Writes comparison.html with verdicts, tables as CSV and LaTeX, and report.json."""
    import studies
    from reports.pages.comparison import write

    typer.echo(write(studies.open(db), names, output, by or (), metric, margin, figures=figures))


@app.command()
def embedding(
    model: Annotated[Path, typer.Argument(help="model with two-dimensional task embeddings, of: hnet trial export")],
    output: OutOption,
    task: Annotated[list[int] | None, typer.Option(help="only this task, from 1; may be given again")] = None,
    grid: Annotated[int, typer.Option(help="points per axis")] = 50,
    images: Annotated[int | None, typer.Option(min=1, help="test examples per task", show_default="all")] = None,
    data: Annotated[Path | None, typer.Option(envvar="HNET_DATA", help="root of the data sets")] = None,
) -> None:
    """Which embeddings solve which task? Writes embedding.html, the maps as CSV and report.json."""
    from reports.pages.embedding import write

    typer.echo(write(model, output, tasks=task or (), grid=grid, images=images, root=data, on_row=_show_row))


def _show_row(task: int, done: int, planned: int) -> None:
    """How far a map is: one line, rewritten, on a terminal; else a line per task."""
    is_live, is_last = sys.stderr.isatty(), done == planned
    if is_live or is_last:
        typer.echo(f"{chr(13) if is_live else ''}task {task}: row {done} of {planned}", err=True, nl=is_last)
