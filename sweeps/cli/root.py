"""The root of the command line, for commands that belong to no group."""

from __future__ import annotations

from typing import Annotated

import typer

from sweeps.cli.usage import App

app = App(
    name="hnet",
    help="Sweeps and benchmarks for hypernetwork-based continual learning.",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(invoke_without_command=True)
def root(version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False) -> None:
    if version:
        from sweeps.distribution import own_version

        print(f"hnet {own_version() or '(not installed)'}")
        raise typer.Exit
