"""`hnet study export-optuna` and `import-optuna`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Annotated, Literal

import typer

from studies import DEFAULT_URL
from studies.output.formats import say
from sweeps.cli.option_groups import with_option_groups
from sweeps.cli.options import Database, StudyName
from sweeps.cli.study import app

Storage = Annotated[str, typer.Argument(help="Optuna storage: a SQLite file or a URL.", show_default=False)]


@app.command("export-optuna")
def export_optuna(name: StudyName, target: Storage, db: Database = DEFAULT_URL) -> None:
    """Write a study as an Optuna study, to view with: optuna-dashboard sqlite:///TARGET

    Repeat the command to continue an interrupted export, or to add the trials that have come since.
    """
    import studies
    from studies.database.urls import mask_passwords
    from sweeps.cli.copy_progress import CopyProgress
    from sweeps.search.optuna_exchange import goes_by_validation, to_optuna

    found = studies.open(db)
    with CopyProgress() as progress:
        written = to_optuna(found, name, target, progress)
    say(f"wrote {written} trials of {name} to {mask_passwords(target)}.")
    if goes_by_validation(found, name):
        say("its values are of the test split; the front goes by validation, so Optuna's best trials may be others.")


@dataclass(frozen=True)
class Objectives:
    """Meaning of the objectives of an Optuna study."""

    quality: Annotated[int, typer.Option(min=0, help="Position of the objective that is the accuracy or mse.")] = 0
    measure: Annotated[Literal["accuracy", "mse"], typer.Option(help="Measure of that objective.")] = "accuracy"
    ratio: Annotated[int | None, typer.Option(min=0, help="Position of the compression ratio.", show_default=False)] = (
        None
    )
    model_weights: Annotated[
        int | None, typer.Option(min=1, help="Weights of every model, without --ratio.", show_default=False)
    ] = None


@app.command("import-optuna")
@with_option_groups
def import_optuna(
    source: Storage,
    name: Annotated[str, typer.Argument(help="Name of the study in Optuna.", show_default=False)],
    target_weights: Annotated[int, typer.Option(min=1, help="Weights of one target network.", show_default=False)],
    db: Database = DEFAULT_URL,
    *,
    objectives: Objectives,
    as_: Annotated[str | None, typer.Option("--as", help="Name of the study here.", show_default=False)] = None,
) -> None:
    """Import an Optuna study, with one evaluation per trial, since Optuna stores no more."""
    from studies.database.open_database import connect
    from studies.store.trial_import import import_trials
    from sweeps.cli.copy_progress import CopyProgress
    from sweeps.cli.study_admin import OBJECTIVES, trials_by_state
    from sweeps.search.optuna_exchange import Meaning, from_optuna

    here = as_ or name
    trials = from_optuna(source, name, Meaning(target_weights=target_weights, **vars(objectives)), say)
    n = sum(len(one.runs) for one in trials)
    with CopyProgress() as progress:
        writing = partial(progress, f"writing {here}", total=n)
        engine = connect(db, create=True)
        states = import_trials(engine, here, trials, f"Optuna study {name}", OBJECTIVES[objectives.measure], writing)
    say(f"imported {trials_by_state(states)} as {here}; one value each, without seeds or tasks.")
