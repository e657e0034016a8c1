"""`hnet study rm`: a study lies in our tables, in Optuna's and in the checkpoint folder, so it is removed from here."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from hnet_core.errors import ConfigInvalid
from studies import DEFAULT_URL
from studies.options import Database, Name
from studies.output.formats import say


def remove(
    name: Name,
    db: Database = DEFAULT_URL,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete a study with all its trials and measurements, for good."""
    from studies.database.open_database import connect
    from studies.queries.studies import Studies
    from studies.store.admin import Shelf

    engine = connect(db)
    trials = Studies(engine).trial_counts(name).total
    if not yes:
        if not sys.stdin.isatty():
            raise ConfigInvalid(f"rm deletes {trials} trials of {name} for good; say so with --yes.")
        typer.confirm(f"Delete {name} and its {trials} trials for good?", abort=True)
    uuid = Shelf(engine).remove(name)
    _forget(uuid, engine.url.render_as_string(hide_password=False))
    say(f"deleted {name} and its {trials} trials.")


def _forget(uuid: str, url: str) -> None:
    """Remove the memory of the sampler and the checkpoints of running trials."""
    import shutil

    import optuna

    from studies.database.open_database import tune_sqlite
    from sweeps.runner import checkpoint_folder

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    storage = optuna.storages.RDBStorage(url)
    tune_sqlite(storage.engine)
    for memory in optuna.get_all_study_names(storage):
        if memory.endswith(f" ({uuid[:8]})"):
            optuna.delete_study(study_name=memory, storage=storage)
    shutil.rmtree(checkpoint_folder(uuid), ignore_errors=True)
