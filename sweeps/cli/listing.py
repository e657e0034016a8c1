"""`hnet list`: the components, presets and tables a spec can name."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from sweeps.cli.options import Data, Output
from sweeps.cli.root import app

Kind = Literal[
    "methods", "streams", "targets", "hypernets", "task_inference", "datasets", "presets", "tables", "measured"
]


ListShape = Annotated[
    Literal["table", "json", "csv"], typer.Option("--format", help="table for people; json and csv are exact.")
]


@app.command("list")
def list_components(
    kind: Annotated[Kind, typer.Argument(help="What to list.", show_default=False)],
    data: Data = None,
    format: ListShape = "table",
    output: Output = None,
) -> None:
    """List methods, streams, targets, hypernets, task inference, datasets, presets, published tables, measured studies.

    Your own data sets, folders of npz files below --data, are listed after the built-in ones.
    """
    from studies.output.formats import write

    rows = {"presets": _presets, "tables": _tables, "measured": _measured}.get(kind, lambda: _components(kind))()
    if kind == "datasets":
        rows += _own_datasets(data)
    if format == "table":
        rows = [{**row, **{key: ", ".join(row.get(key) or ()) for key in ("options", "variants")}} for row in rows]
    further = {"presets": ["variants"], "datasets": [], "tables": [], "measured": []}
    columns = ["name", "summary", *further.get(kind, ["options"])]
    write(rows, columns, format, output, kind.replace("_", " ").capitalize())


def _presets() -> list[dict[str, Any]]:
    from sweeps.presets import preset_names, preset_summary, preset_variants

    return [
        {"name": name, "summary": preset_summary(name), "variants": preset_variants(name)} for name in preset_names()
    ]


def _tables() -> list[dict[str, Any]]:
    from reports.data.published_tables import published_tables

    return [{"name": table.name, "summary": table.caption} for table in published_tables()]


def _measured() -> list[dict[str, Any]]:
    from reports.data.measured_studies import PREFIX, measured_names, measured_summary

    return [{"name": PREFIX + name, "summary": measured_summary(name)} for name in measured_names()]


def _own_datasets(data: Path | None) -> list[dict[str, Any]]:
    from hnet_core.data import data_root
    from hnet_core.data.npz import FILES, pair_folders
    from hnet_core.registry import DATASETS

    root = data_root(data)
    return [
        {
            "name": name,
            "summary": f"your own: {root / name}, "
            + (f"which lacks {' and '.join(lacking)}" if lacking else " and ".join(FILES)),
        }
        for name, lacking in pair_folders(root).items()
        if name not in DATASETS
    ]


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
