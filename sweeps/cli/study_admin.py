"""The commands of `hnet study` that write: tag, archive, retry, import, rm."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from hnet_core.errors import ConfigInvalid, NotFound
from studies import DEFAULT_URL
from studies.output.formats import say, write
from sweeps.cli.options import Database, Output, RowsFormat, StudyName
from sweeps.cli.study import app

# Objectives of an imported study, by its measure.
OBJECTIVES = {
    "accuracy": {"final_accuracy": "maximize", "compression_ratio": "minimize"},
    "mse": {"final_mse": "minimize", "compression_ratio": "minimize"},
}


TEXT_SUFFIXES = (".csv", ".tsv", ".txt")
STUDY_FILE = ".json"


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
    from reports.formatting import numbered
    from studies.database.open_database import connect
    from studies.store.admin import retry_trials

    queued = retry_trials(connect(db), name, numbers or ())
    if queued:
        say(f"queued {numbered('trial', queued)} again; train with the command that started {name}.")
    else:
        say(f"{name} has no failed trial.")


@app.command("import")
def import_(
    source: Annotated[
        str,
        typer.Argument(
            help="Another study database, a text file of results (.csv, .tsv, .txt), a study file (.json), or "
            "measured:NAME, which comes with hnet.",
            show_default=False,
        ),
    ],
    names: Annotated[list[str] | None, typer.Argument(help="Studies to copy; all if none is named.")] = None,
    db: Database = DEFAULT_URL,
    as_: Annotated[str | None, typer.Option("--as", help="Name of the study here.", show_default=False)] = None,
) -> None:
    """Copy studies from another database, or make one from a file of results (docs/studies.md)."""
    from reports.data.measured_studies import PREFIX, import_measured
    from studies.database.connections import is_sqlite_file
    from studies.database.open_database import connect
    from studies.store.importing import import_studies
    from sweeps.cli.copy_progress import CopyProgress

    path, suffix = Path(source), Path(source).suffix.lower()
    is_database = path.is_file() and path.stat().st_size > 1 and is_sqlite_file(path)
    is_measured = source.startswith(PREFIX) and not path.is_file()
    if is_measured or (suffix in (*TEXT_SUFFIXES, STUDY_FILE) and not is_database):
        if names:
            given = ", ".join(names)
            raise ConfigInvalid(
                f"names of studies to copy are for a database, got {given} for {path.name}; its name here is --as."
            )
        if is_measured:
            say(f"imported {_counted(import_measured(db, source, as_))} as {as_ or source}.")
        elif suffix == STUDY_FILE:
            _import_study_file(path, as_, db)
        else:
            _import_csv(path, as_ or path.stem, db)
        return
    source_engine = connect(source)
    with CopyProgress() as progress:
        copied = import_studies(source_engine, connect(db, create=True), names or (), as_, progress)
    say(f"imported {', '.join(copied)}.")


def _import_csv(path: Path, name: str, db: str) -> None:
    from studies.database.open_database import connect
    from studies.store.csv_import import read_csv
    from studies.store.csv_records import check_is_text
    from studies.store.store import Store
    from studies.store.trial_import import import_trials
    from sweeps.cli.copy_progress import CopyProgress

    check_is_text(path)
    engine = connect(db, create=True)
    Store(engine).check_is_free(name)  # before the file is read, which may take minutes
    with CopyProgress() as progress:
        results = read_csv(path, progress)
        writing = partial(progress, f"writing {name}", total=results.rows)
        states = import_trials(engine, name, results, path.name, OBJECTIVES[results.measure], writing)
    for line in results.remarks():
        say(f"warning: {line}.")
    say(f"imported {trials_by_state(states)} as {name}.")


def _import_study_file(path: Path, name: str | None, db: str) -> None:
    from studies.database.open_database import connect
    from studies.spec.document import unreadable
    from studies.store.study_file import import_study_file, read_study_file
    from sweeps.cli.copy_progress import CopyProgress

    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise NotFound(f"{path}: no such file.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise unreadable(str(path), error) from None
    found = read_study_file(text, path.name)
    here = name or found.name
    with CopyProgress() as progress:
        writing = partial(progress, f"writing {here}", total=found.n_evaluations)
        states = import_study_file(connect(db, create=True), here, found, path.name, writing)
    say(f"imported {trials_by_state(states)} as {here}.")


def trials_by_state(states: Mapping[str, int]) -> str:
    """Return a text such as `12 trials (1 failed, 2 pruned)`."""
    others = ", ".join(f"{n} {state.lower()}" for state, n in sorted(states.items()) if state != "COMPLETE")
    return _counted(sum(states.values())) + (f" ({others})" if others else "")


def _counted(trials: int) -> str:
    return f"{trials} trial{'' if trials == 1 else 's'}"


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
    trials = _counted(Studies(engine).trial_counts(name).total)
    if not yes:
        if not sys.stdin.isatty():
            raise ConfigInvalid(f"rm deletes {trials} of {name} permanently; confirm with --yes.")
        typer.confirm(f"Delete {name} and its {trials} permanently?", abort=True)
    uuid = remove_study(engine, name)
    forget_sampler_study(uuid, engine.url.render_as_string(hide_password=False))
    shutil.rmtree(checkpoint_folder(uuid), ignore_errors=True)
    say(f"deleted {name} and its {trials}.")
