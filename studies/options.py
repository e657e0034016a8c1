"""Options that several commands over a study database share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from studies.output.formats import Format

Name = Annotated[str, typer.Argument(help="Name of the study, see: hnet study ls", show_default=False)]
Database = Annotated[
    str, typer.Option("--db", envvar="HNET_DB", help="File, sqlite:///FILE or postgresql://USER@HOST/NAME.")
]
Shape = Annotated[Format, typer.Option("--format", help="table for people; json and csv are exact.")]
Output = Annotated[Path | None, typer.Option("--output", "-o", help="File to write instead of standard output.")]
Where = Annotated[
    str | None, typer.Option(help="Condition on columns, such as \"compression_ratio < 0.2 and method == 'hnet'\".")
]
Sort = Annotated[str | None, typer.Option(help="Columns, minus for descending, such as -final_accuracy,number.")]
Limit = Annotated[int | None, typer.Option(min=1, help="At most so many rows.", show_default=False)]
