"""Optuna studies in a database: name, open and delete the one of the sampler."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from studies.database.connections import despite_races, errors_explained, tune_sqlite
from studies.database.open_database import SchemaOutdated
from studies.database.storable_text import storable
from studies.database.urls import masked, parse_url

if TYPE_CHECKING:
    import optuna
    from optuna.storages import RDBStorage


def optuna_name(study: str, uuid: str) -> str:
    """Name of the sampler's Optuna study: unique, since a deleted study may be created again."""
    return f"{storable(study)} ({uuid[:8]})"


def open_storage(url: str) -> RDBStorage:
    """Open the Optuna storage at a URL or a SQLite file, created if missing.

    Raises:
        ConfigInvalid: if `url` names no kind of database known here.
        DatabaseUnreachable: if the database cannot be reached.
        SchemaOutdated: if another version of Optuna made the storage.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    parsed = parse_url(url)
    address = parsed.render_as_string(hide_password=False)
    checks = {} if parsed.get_backend_name() == "sqlite" else {"pool_pre_ping": True}  # a server may have restarted
    with errors_explained(parsed):
        try:
            storage = despite_races(lambda: optuna.storages.RDBStorage(address, engine_kwargs=checks))
        except RuntimeError as error:  # its tables are those of another version of Optuna
            raise SchemaOutdated(f"{masked(parsed)}: {error}") from None
    tune_sqlite(storage.engine)
    return storage


def open_sampler_study(name: str, url: str, directions: Sequence[Literal["minimize", "maximize"]]) -> optuna.Study:
    """Open the sampler's study through a cache (`cached_storage`), created if missing."""
    import optuna

    from sweeps.search.cached_storage import CachedStorage

    backend = open_storage(url)
    optuna.create_study(storage=backend, study_name=name, directions=list(directions), load_if_exists=True)
    return optuna.load_study(study_name=name, storage=CachedStorage(backend, backend.get_study_id_from_name(name)))


def forget_sampler_study(uuid: str, url: str) -> None:
    """Delete the sampler's study of a study; the name may have changed since it was created."""
    import optuna

    storage = open_storage(url)
    for name in optuna.get_all_study_names(storage):
        if name.endswith(optuna_name("", uuid)):
            optuna.delete_study(study_name=name, storage=storage)
