"""Arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

Source = Annotated[
    str,
    typer.Argument(help="A preset (hnet list presets) or a YAML file; NAME:VARIANT for a variant.", show_default=False),
]
Assignments = Annotated[
    list[str] | None,
    typer.Option("--set", help="Change a value: training.iterations=200, budget.trials=12, ...", metavar="KEY=VALUE"),
]
Data = Annotated[
    Path | None,
    typer.Option("--data", envvar="HNET_DATA", help="Folder of the data sets [default: ~/.cache/hnet/data]."),
]
Database = Annotated[
    str, typer.Option("--db", envvar="HNET_DB", help="File, sqlite:///FILE or postgresql://USER@HOST/NAME.")
]
Shape = Annotated[Literal["table", "json"], typer.Option("--format", help="table for people, json for programs.")]
Output = Annotated[Path | None, typer.Option("--output", "-o", help="File to write instead of standard output.")]
