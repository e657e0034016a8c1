"""Reads the Optuna storages of others: whatever the outcome, a storage stays byte-identical."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from hnet_core.errors import NotFound
from studies.database.connections import DatabaseUnreachable, errors_explained
from studies.database.open_database import DatabaseForeign, SchemaOutdated
from studies.database.optuna_tables import OptunaVersion, optuna_version, read_only_engine
from studies.database.urls import masked, parse_url, sqlite_path

if TYPE_CHECKING:
    from optuna.storages import RDBStorage
    from optuna.study import StudyDirection
    from optuna.trial import FrozenTrial


def read_study(url: str, name: str) -> tuple[list[StudyDirection], list[FrozenTrial]]:
    """The directions of an Optuna study and all its trials.

    Raises:
        NotFound: if there is no such file, or no such study in it.
        DatabaseForeign, SchemaOutdated: if it is no Optuna storage, or one of another version.
        DatabaseUnreachable: if it cannot be read.
    """
    import optuna

    parsed = parse_url(url)
    with errors_explained(parsed):
        storage = _open(url)
        try:
            known = {study.study_name: study._study_id for study in storage.get_all_studies()}
            if name not in known:
                listed = ", ".join(known) or "none"
                raise NotFound(f"Optuna study {name!r} is not in {masked(parsed)}, which holds {listed}.")
            return storage.get_study_directions(known[name]), storage.get_all_trials(known[name], deepcopy=False)
        except (optuna.exceptions.StorageInternalError, ValueError, KeyError) as error:
            raise DatabaseUnreachable(
                f"the Optuna storage {masked(parsed)} must be one that Optuna {optuna.__version__} can read, got: "
                f"{str(error.__cause__ or error).splitlines()[0]}."
            ) from None
        finally:
            storage.remove_session()
            storage.engine.dispose()


def check_target(url: str) -> None:
    """Refuse to write an Optuna study beside the tables of another program, or of an Optuna of another version.

    Raises:
        DatabaseForeign, SchemaOutdated: then the database stays as it is.
    """
    parsed = parse_url(url)
    path = sqlite_path(parsed)
    if path is not None and not path.exists():
        return
    found = optuna_version(parsed)
    if found is not None:
        _check_version(masked(parsed), found)


def _open(url: str) -> RDBStorage:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    parsed = parse_url(url)
    path = sqlite_path(parsed)
    if path is not None and not path.exists():
        raise NotFound(f"there is no Optuna storage {path}; name its file, or its URL.")
    found = optuna_version(parsed)
    if found is None:
        raise DatabaseForeign(f"{masked(parsed)} must be an Optuna storage, got a database without its tables.")
    _check_version(masked(parsed), found)
    address, options = read_only_engine(parsed)
    return optuna.storages.RDBStorage(address, options, skip_compatibility_check=True, skip_table_creation=True)


def _check_version(shown: str, found: OptunaVersion) -> None:
    import optuna

    ours = optuna.storages.RDBStorage("sqlite://")  # in memory, to ask which tables this Optuna knows
    try:
        if found.revision == ours.get_head_version():
            return
        is_older = found.revision is None or found.revision in ours.get_all_versions()
    finally:
        ours.engine.dispose()
    if is_older:
        raise SchemaOutdated(
            f"{shown} was written by Optuna {found.library}, whose tables Optuna {optuna.__version__} does not read; "
            "make a copy, upgrade it (optuna storage upgrade --storage sqlite:///COPY), and import the copy."
        )
    raise SchemaOutdated(
        f"{shown} was written by Optuna {found.library}, newer than Optuna {optuna.__version__} here; upgrade optuna."
    )
