"""The commands of `hnet study` that write: tag, archive, retry, import, rm."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

from hnet_core.errors import ConfigInvalid
from studies import DEFAULT_URL
from studies.output.formats import say, write
from sweeps.cli.options import Database, Output, RowsFormat, StudyName
from sweeps.cli.study import app

# Objectives of an imported study, by its measure.
OBJECTIVES = {
    "accuracy": {"final_accuracy": "maximize", "compression_ratio": "minimize"},
    "mse": {"final_mse": "minimize", "compression_ratio": "minimize"},
}


@app.command()
def tag(
    name: StudyName,
    tags: Annotated[list[str] | None, typer.Argument(help="Tags to add.", show_default=False)] = None,
    db: Database = DEFAULT_URL,
    format: RowsFormat = "table",
    output: Output = None,
    remove: Annotated[list[str] | None, typer.Option("--remove", help="Tag to remove.", show_default=False)] = None,
) -> None:
    """Add or remove tags of a study, or show them; list by them with: hnet study ls --tag TAG."""
    from studies.database.open_database import connect
    from studies.store.admin import tag_study

    found = tag_study(connect(db), name, tags or (), remove or ())
    write([{"tag": word} for word in found], ["tag"], format, output, f"Tags of {name}")


@app.command()
def archive(
    name: StudyName,
    db: Database = DEFAULT_URL,
    undo: Annotated[bool, typer.Option("--undo", help="Restore it.")] = False,
) -> None:
    """Archive a study: it keeps everything, but hnet study ls lists it only with --all."""
    from studies.database.open_database import connect
    from studies.store.admin import archive_study

    archive_study(connect(db), name, archived=not undo)
    say(f"{name} is {'restored' if undo else 'archived; restore it with --undo'}.")


@app.command()
def retry(
    name: StudyName,
    numbers: Annotated[list[int] | None, typer.Argument(help="Trials; all that failed if none is named.")] = None,
    db: Database = DEFAULT_URL,
) -> None:
    """Queue failed trials again; they run as a further attempt when the same sweep is run again."""
    from studies.database.open_database import connect
    from studies.store.admin import retry_trials

    queued = retry_trials(connect(db), name, numbers or ())
    if queued:
        say(f"queued trial {', '.join(map(str, queued))} again; train with the command that started {name}.")
    else:
        say(f"{name} has no failed trial.")


@app.command("import")
def import_(
    source: Annotated[
        str, typer.Argument(help="Another study database, or a .csv of evaluations.", show_default=False)
    ],
    names: Annotated[list[str] | None, typer.Argument(help="Studies to copy; all if none is named.")] = None,
    db: Database = DEFAULT_URL,
    as_: Annotated[str | None, typer.Option("--as", help="Name of the study here.", show_default=False)] = None,
) -> None:
    """Copy studies from another database, or make one from a CSV of results (columns: docs/studies.md)."""
    from studies.database.open_database import connect
    from studies.store.csv_import import read_csv
    from studies.store.importing import import_studies, import_trials
    from studies.store.store import Store

    if source.lower().endswith(".csv"):
        path = Path(source)
        trials = read_csv(path)
        name = as_ or path.stem
        n = import_trials(Store(connect(db, create=True)), name, trials, path.name, OBJECTIVES[trials[0].measure])
        say(f"imported {n} trials as {name}.")
        return
    source_engine = connect(source)
    say(f"imported {', '.join(import_studies(source_engine, connect(db, create=True), names or (), as_))}.")


@app.command("rm")
def remove(
    name: StudyName,
    db: Database = DEFAULT_URL,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
) -> None:
    """Delete a study with all its trials and measurements, permanently."""
    from studies.database.open_database import connect
    from studies.queries.studies import Studies
    from studies.store.admin import remove_study
    from sweeps.runner import checkpoint_folder
    from sweeps.search.optuna_studies import forget_sampler_study

    engine = connect(db)
    trials = Studies(engine).trial_counts(name).total
    if not yes:
        if not sys.stdin.isatty():
            raise ConfigInvalid(f"rm deletes {trials} trials of {name} permanently; confirm with --yes.")
        typer.confirm(f"Delete {name} and its {trials} trials permanently?", abort=True)
    uuid = remove_study(engine, name)
    forget_sampler_study(uuid, engine.url.render_as_string(hide_password=False))
    shutil.rmtree(checkpoint_folder(uuid), ignore_errors=True)
    say(f"deleted {name} and its {trials} trials.")
