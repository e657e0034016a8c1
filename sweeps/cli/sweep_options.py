"""Options of `hnet sweep run` and `hnet sweep check`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from studies import DEFAULT_URL
from sweeps.cli.options import Data, Database, NewName


@dataclass(frozen=True)
class RunOptions:
    """Name of the study, its database and data, and the number of workers."""

    study: NewName = None
    db: Database = DEFAULT_URL
    data: Data = None
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="Training processes at a time.", show_default="as many as there is room for"),
    ] = None


@dataclass(frozen=True)
class RunSurroundings:
    """Local folder for a database on a network file system, and address for notices."""

    scratch: Annotated[
        Path | None,
        typer.Option(help="Folder on a local disk to work in on a SQLite database that is on a network file system."),
    ] = None
    notify: Annotated[
        str | None,
        typer.Option(
            envvar="HNET_NOTIFY", help="Address for one POST when the sweep ends, stalls or is stopped by its guard."
        ),
    ] = None


@dataclass(frozen=True)
class CheckOptions:
    """Name of the study, its data, and the number of workers to estimate for."""

    study: NewName = None
    data: Data = None
    workers: Annotated[int | None, typer.Option(min=1, help="Number of workers to estimate for.")] = None
