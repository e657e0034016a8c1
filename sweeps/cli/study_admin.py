"""The commands of `hnet study` that write: tag, archive, retry, import."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from studies import DEFAULT_URL
from studies.options import Database, Name, Output, Shape
from studies.output.formats import say, write

if TYPE_CHECKING:
    from studies.store.admin import Shelf

# What an imported study is asked about, by what was measured.
OBJECTIVES = {
    "accuracy": {"final_accuracy": "maximize", "compression_ratio": "minimize"},
    "mse": {"final_mse": "minimize", "compression_ratio": "minimize"},
}


def tag(
    name: Name,
    tags: Annotated[list[str] | None, typer.Argument(help="Words to find it by.", show_default=False)] = None,
    db: Database = DEFAULT_URL,
    format: Shape = "table",
    output: Output = None,
    remove: Annotated[list[str] | None, typer.Option("--remove", help="Tag to take away.", show_default=False)] = None,
) -> None:
    """Give a study tags, or show those it has; list by them with: hnet study ls --tag TAG."""
    found = _shelf(db).tag(name, tags or (), remove or ())
    write([{"tag": word} for word in found], ["tag"], format, output, f"Tags of {name}")


def archive(
    name: Name,
    db: Database = DEFAULT_URL,
    undo: Annotated[bool, typer.Option("--undo", help="Take it back.")] = False,
) -> None:
    """Put a study away: it keeps everything, hnet study ls shows it with --all only."""
    _shelf(db).archive(name, archived=not undo)
    say(f"{name} is {'back' if undo else 'archived; take it back with --undo'}.")


def retry(
    name: Name,
    numbers: Annotated[list[int] | None, typer.Argument(help="Trials; all that failed if none is named.")] = None,
    db: Database = DEFAULT_URL,
) -> None:
    """Queue failed trials again; they run as a further attempt when the same sweep is run again."""
    again = _shelf(db).retry(name, numbers or ())
    if again:
        say(f"queued trial {', '.join(map(str, again))} again; train with the command that started {name}.")
    else:
        say(f"{name} has no failed trial.")


def import_(
    source: Annotated[
        str, typer.Argument(help="Another study database, or a .csv of evaluations.", show_default=False)
    ],
    names: Annotated[list[str] | None, typer.Argument(help="Studies to copy; all if none is named.")] = None,
    db: Database = DEFAULT_URL,
    as_: Annotated[str | None, typer.Option("--as", help="Name of the study here.", show_default=False)] = None,
) -> None:
    """Copy studies from another database, or make one of a CSV of results (columns: docs/studies.md)."""
    from studies.database.open_database import connect
    from studies.store.csv_import import read_csv
    from studies.store.importing import import_studies, import_trials
    from studies.store.store import Store

    if source.lower().endswith(".csv"):
        path = Path(source)
        trials = read_csv(path)
        name = as_ or path.stem
        n = import_trials(Store(connect(db, create=True)), name, trials, path.name, OBJECTIVES[trials[0].measure])
        say(f"imported {n} trials as {name}.")
        return
    there = connect(source)
    say(f"imported {', '.join(import_studies(there, connect(db, create=True), names or (), as_))}.")


def _shelf(db: str) -> Shelf:
    from studies.database.open_database import connect
    from studies.store.admin import Shelf

    return Shelf(connect(db))
