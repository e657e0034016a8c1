"""Arguments and options shared by several commands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from studies.output.formats import Format
from sweeps.cli.output_file import check_writable

Source = Annotated[
    str,
    typer.Argument(help="A preset (hnet list presets) or a YAML file; NAME:VARIANT for a variant.", show_default=False),
]
StudyName = Annotated[str, typer.Argument(help="Name of the study, see: hnet study ls", show_default=False)]
NewName = Annotated[str | None, typer.Option("--study", help="Name of the study, instead of the spec's.")]
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


@dataclass(frozen=True)
class TrialResources:
    """Resources of one trial, instead of the spec's."""

    cpus: Annotated[
        int | None, typer.Option(min=1, help="CPUs of one trial, and its threads (resources.cpus).", show_default=False)
    ] = None
    gpus: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Share of a GPU of one trial (resources.gpus).", show_default=False),
    ] = None
    memory: Annotated[
        str | None, typer.Option(help='Memory of one trial, such as "8 GiB" (resources.memory).', show_default=False)
    ] = None

    def assignments(self) -> list[str]:
        """Return the given ones as arguments of `--set`."""
        return [f"resources.{key}={value}" for key, value in vars(self).items() if value is not None]


@dataclass(frozen=True)
class RayCluster:
    """A Ray cluster to train on, and where its nodes keep checkpoints."""

    address: Annotated[str | None, typer.Option(help="Ray cluster to join: auto or host:port.")] = None
    storage: Annotated[
        str | None,
        typer.Option(help="Path or URI for checkpoints that every node reaches.", show_default="the driver"),
    ] = None


# Formats of one object, and of rows.
ObjectFormat = Annotated[
    Literal["table", "json"], typer.Option("--format", help="table for people, json for programs.")
]


@dataclass(frozen=True)
class ObjectOutput:
    """Format and file of one object that a command prints."""

    format: ObjectFormat = "table"
    output: Output = None

    def check(self) -> None:
        """Check before a long computation that the file can be written; raises ConfigInvalid."""
        check_writable(self.output, "-o")

    def write(self, content: Mapping[str, Any], title: str) -> None:
        """Write an object to the file, or to standard output."""
        from studies.output.formats import write_object

        write_object(content, self.format, self.output, title)


RowsFormat = Annotated[Format, typer.Option("--format", help="table for people; json and csv are exact.")]


@dataclass(frozen=True)
class RowOptions:
    """The rows to list, named as the arguments of `studies.Studies`."""

    where: Annotated[
        str | None,
        typer.Option(help="Condition on columns, such as \"compression_ratio < 0.2 and method == 'hnet'\"."),
    ] = None
    sort: Annotated[str | None, typer.Option(help="Columns, minus for descending, such as -final_accuracy,number.")] = (
        None
    )
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many rows.", show_default=False)] = None
