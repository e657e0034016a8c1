"""The commands of `hnet study` that change something, but no result: tag, archive, retry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from studies import DEFAULT_URL
from studies.options import Database, Name, Output, Shape
from studies.output import say, write

if TYPE_CHECKING:
    from studies.shelf import Shelf


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


def _shelf(db: str) -> Shelf:
    from studies.database import connect
    from studies.shelf import Shelf

    return Shelf(connect(db))
