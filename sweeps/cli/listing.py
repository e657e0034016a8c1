"""`hnet list`: the components, presets and tables a spec can name."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import typer

from sweeps.cli.options import Output
from sweeps.cli.root import app

Kind = Literal["methods", "streams", "targets", "hypernets", "datasets", "presets", "tables"]


ListShape = Annotated[
    Literal["table", "json", "csv"], typer.Option("--format", help="table for people; json and csv are exact.")
]


@app.command("list")
def list_components(
    kind: Annotated[Kind, typer.Argument(help="What to list.", show_default=False)],
    format: ListShape = "table",
    output: Output = None,
) -> None:
    """List methods, streams, targets, hypernets, datasets or presets with their options, or published tables."""
    from studies.output.formats import write

    rows = {"presets": _presets, "tables": _tables}.get(kind, lambda: _components(kind))()
    if format == "table":
        rows = [{**row, **{key: ", ".join(row.get(key) or ()) for key in ("options", "variants")}} for row in rows]
    further = {"presets": ["variants"], "datasets": [], "tables": []}
    columns = ["name", "summary", *further.get(kind, ["options"])]
    write(rows, columns, format, output, kind.capitalize())


def _presets() -> list[dict[str, Any]]:
    from sweeps.presets import preset_names, preset_summary, preset_variants

    return [
        {"name": name, "summary": preset_summary(name), "variants": preset_variants(name)} for name in preset_names()
    ]


def _tables() -> list[dict[str, Any]]:
    from reports.data.published_tables import published_tables

    return [{"name": table.name, "summary": table.caption} for table in published_tables()]


def _components(kind: str) -> list[dict[str, Any]]:
    from hnet_core import registry
    from hnet_core.option_docs import describe_options

    found: registry.Registry = getattr(registry, kind.upper())
    return [
        {
            "name": name,
            "summary": component.summary,
            "options": describe_options(component.Options) if hasattr(component, "Options") else None,
        }
        for name, component in found.items()
    ]
