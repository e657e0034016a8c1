"""`hnet preset`: the packaged sweep specs."""

from __future__ import annotations

from typing import Annotated

import typer

from sweeps.cli.options import Output
from sweeps.cli.usage import App

app = App(name="preset", help="Look at the sweep specs that come with hnet.")

Preset = Annotated[str, typer.Argument(help="NAME or NAME:VARIANT, see: hnet list presets", show_default=False)]


@app.command()
def show(name: Preset, output: Output = None) -> None:
    """Print a preset as YAML, to read it or to start a spec from it; a variant with its changes in place."""
    from studies.output.formats import emit
    from sweeps.presets import preset_text

    emit(preset_text(name), output)


@app.callback()
def _root() -> None:
    """Make `show` a command of its own although it is the only one."""
