"""`hnet study export-optuna` and `import-optuna`."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from studies import DEFAULT_URL
from studies.output.formats import say
from sweeps.cli.options import Database, StudyName
from sweeps.cli.study import app

Storage = Annotated[str, typer.Argument(help="Optuna storage: a SQLite file or a URL.", show_default=False)]


@app.command("export-optuna")
def export_optuna(name: StudyName, target: Storage, db: Database = DEFAULT_URL) -> None:
    """Write a study as an Optuna study, to view with: optuna-dashboard sqlite:///TARGET"""
    import studies
    from studies.database.urls import mask_passwords
    from sweeps.search.optuna_exchange import to_optuna

    say(f"wrote {to_optuna(studies.open(db), name, target)} trials of {name} to {mask_passwords(target)}.")


@app.command("import-optuna")
def import_optuna(
    source: Storage,
    name: Annotated[str, typer.Argument(help="Name of the study in Optuna.", show_default=False)],
    target_weights: Annotated[int, typer.Option(min=1, help="Weights of one target network.", show_default=False)],
    db: Database = DEFAULT_URL,
    quality: Annotated[int, typer.Option(min=0, help="Position of the objective that is the accuracy or mse.")] = 0,
    measure: Annotated[Literal["accuracy", "mse"], typer.Option(help="Measure of that objective.")] = "accuracy",
    ratio: Annotated[
        int | None, typer.Option(min=0, help="Position of the compression ratio.", show_default=False)
    ] = None,
    model_weights: Annotated[
        int | None, typer.Option(min=1, help="Weights of every model, without --ratio.", show_default=False)
    ] = None,
    as_: Annotated[str | None, typer.Option("--as", help="Name of the study here.", show_default=False)] = None,
) -> None:
    """Import an Optuna study, with one evaluation per trial, since Optuna stores no more."""
    from studies.database.open_database import connect
    from studies.store.importing import import_trials
    from studies.store.store import Store
    from sweeps.cli.study_admin import OBJECTIVES
    from sweeps.search.optuna_exchange import Meaning, from_optuna

    trials = from_optuna(source, name, Meaning(quality, measure, target_weights, ratio, model_weights))
    n = import_trials(Store(connect(db, create=True)), as_ or name, trials, f"Optuna study {name}", OBJECTIVES[measure])
    say(f"imported {n} trials as {as_ or name}; one value each, without seeds or tasks.")
