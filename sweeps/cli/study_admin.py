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

# What an imported study is asked about, by what was measured.
OBJECTIVES = {
    "accuracy": {"final_accuracy": "maximize", "compression_ratio": "minimize"},
    "mse": {"final_mse": "minimize", "compression_ratio": "minimize"},
}


def tag(
    name: StudyName,
    tags: Annotated[list[str] | None, typer.Argument(help="Words to find it by.", show_default=False)] = None,
    db: Database = DEFAULT_URL,
    format: RowsFormat = "table",
    output: Output = None,
    remove: Annotated[list[str] | None, typer.Option("--remove", help="Tag to take away.", show_default=False)] = None,
) -> None:
    """Give a study tags, or show those it has; list by them with: hnet study ls --tag TAG."""
    from studies.database.open_database import connect
    from studies.store.admin import tag_study

    found = tag_study(connect(db), name, tags or (), remove or ())
    write([{"tag": word} for word in found], ["tag"], format, output, f"Tags of {name}")


def archive(
    name: StudyName,
    db: Database = DEFAULT_URL,
    undo: Annotated[bool, typer.Option("--undo", help="Take it back.")] = False,
) -> None:
    """Put a study away: it keeps everything, hnet study ls shows it with --all only."""
    from studies.database.open_database import connect
    from studies.store.admin import archive_study

    archive_study(connect(db), name, archived=not undo)
    say(f"{name} is {'back' if undo else 'archived; take it back with --undo'}.")


def retry(
    name: StudyName,
    numbers: Annotated[list[int] | None, typer.Argument(help="Trials; all that failed if none is named.")] = None,
    db: Database = DEFAULT_URL,
) -> None:
    """Queue failed trials again; they run as a further attempt when the same sweep is run again."""
    from studies.database.open_database import connect
    from studies.store.admin import retry_trials

    again = retry_trials(connect(db), name, numbers or ())
    if again:
        say(f"queued trial {', '.join(map(str, again))} again; train with the command that started {name}.")
    else:
        say(f"{name} has no failed trial.")


def import_(
    source: Annotated[
        str, typer.Argument(help="Another study database, or a .csv of evaluations.", show_default=False)
    ],
    names: Annotated[list[str] | None, typer.Argument(help="Studies to copy; all if none is named.")] = None,
    db: Database = DEFAULT_URL,
    as_: Annotated[str | None, typer.Option("--as", help="Name of the study here.", show_default=False)] = None,
) -> None:
    """Copy studies from another database, or make one of a CSV of results (columns: docs/studies.md)."""
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
    there = connect(source)
    say(f"imported {', '.join(import_studies(there, connect(db, create=True), names or (), as_))}.")


def remove(
    name: StudyName,
    db: Database = DEFAULT_URL,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete a study with all its trials and measurements, for good."""
    from studies.database.open_database import connect
    from studies.queries.studies import Studies
    from studies.store.admin import remove_study
    from sweeps.runner import checkpoint_folder
    from sweeps.search.optuna_studies import forget_sampler_study

    engine = connect(db)
    trials = Studies(engine).trial_counts(name).total
    if not yes:
        if not sys.stdin.isatty():
            raise ConfigInvalid(f"rm deletes {trials} trials of {name} for good; say so with --yes.")
        typer.confirm(f"Delete {name} and its {trials} trials for good?", abort=True)
    uuid = remove_study(engine, name)
    forget_sampler_study(uuid, engine.url.render_as_string(hide_password=False))
    shutil.rmtree(checkpoint_folder(uuid), ignore_errors=True)
    say(f"deleted {name} and its {trials} trials.")
