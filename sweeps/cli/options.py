"""Arguments and options shared by several commands."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from studies.output.formats import Format

Source = Annotated[
    str,
    typer.Argument(help="A preset (hnet list presets) or a YAML file; NAME:VARIANT for a variant.", show_default=False),
]
StudyName = Annotated[str, typer.Argument(help="Name of the study, see: hnet study ls", show_default=False)]
Assignments = Annotated[
    list[str] | None,
    typer.Option("--set", help="Change a value: training.iterations=200, budget.trials=12, ...", metavar="KEY=VALUE"),
]
Data = Annotated[
    Path | None,
    typer.Option("--data", envvar="HNET_DATA", help="Folder of the data sets.", show_default="~/.cache/hnet/data"),
]
Database = Annotated[
    str, typer.Option("--db", envvar="HNET_DB", help="File, sqlite:///FILE or postgresql://USER@HOST/NAME.")
]
Output = Annotated[Path | None, typer.Option("--output", "-o", help="File to write instead of standard output.")]

Cpus = Annotated[
    int | None, typer.Option(min=1, help="CPUs of one trial, and its threads (resources.cpus).", show_default=False)
]
Gpus = Annotated[
    float | None, typer.Option(min=0, max=1, help="Share of a GPU of one trial (resources.gpus).", show_default=False)
]
Memory = Annotated[
    str | None, typer.Option(help='Memory of one trial, such as "8 GiB" (resources.memory).', show_default=False)
]

# Formats of one object, and of rows.
ObjectFormat = Annotated[
    Literal["table", "json"], typer.Option("--format", help="table for people, json for programs.")
]
RowsFormat = Annotated[Format, typer.Option("--format", help="table for people; json and csv are exact.")]

Where = Annotated[
    str | None, typer.Option(help="Condition on columns, such as \"compression_ratio < 0.2 and method == 'hnet'\".")
]
Sort = Annotated[str | None, typer.Option(help="Columns, minus for descending, such as -final_accuracy,number.")]
Limit = Annotated[int | None, typer.Option(min=1, help="At most so many rows.", show_default=False)]
