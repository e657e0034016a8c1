"""Dataclasses as groups of options."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer
from typer.testing import CliRunner

from sweeps.cli.option_groups import with_option_groups

app = typer.Typer()


@dataclass(frozen=True)
class Size:
    name: Annotated[str, typer.Argument()]
    width: Annotated[int, typer.Option("--columns", min=1, help="Number of columns.")] = 4
    tags: Annotated[list[str] | None, typer.Option(help="May be given again.")] = None


@app.command()
@with_option_groups
def show(size: Size, height: Annotated[int, typer.Option(help="Number of rows.")] = 2) -> None:
    """Print a size."""
    print(size, height)


def test_each_field_is_an_argument_or_option_with_its_default() -> None:
    done = CliRunner().invoke(app, ["a", "--columns", "7", "--tags", "x", "--tags", "y", "--height", "3"])
    assert done.output == "Size(name='a', width=7, tags=['x', 'y']) 3\n"
    assert CliRunner().invoke(app, ["a"]).output == "Size(name='a', width=4, tags=None) 2\n"
    assert CliRunner().invoke(app, ["a", "--columns", "0"]).exit_code == 2
    assert CliRunner().invoke(app, []).exit_code == 2, "an argument without default"


def test_help_shows_the_options_in_the_order_of_the_fields() -> None:
    lines = CliRunner().invoke(app, ["--help"]).output
    assert "Print a size." in lines
    places = [lines.index(text) for text in ("Number of columns.", "May be given again.", "Number of rows.")]
    assert places == sorted(places)
