"""Administration of stored studies: tags, notes, archive, retry of failed trials, removal; one transaction per call."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime

from sqlalchemy import Connection, Engine, Table, delete, insert, select, update

from hnet_core.errors import ConfigInvalid
from studies.database.database_clock import epoch_now
from studies.database.schema import FAILED, RUNNING, study, study_note, study_tag, trial, trial_note
from studies.errors import StudyBusy, StudyNotFound, TrialNotFound

MAX_TAG_LENGTH = 50
MAX_NOTE_LENGTH = 20_000


def tag_study(engine: Engine, name: str, add: Collection[str] = (), remove: Collection[str] = ()) -> list[str]:
    """Add and remove tags of a study and return its tags; adding one twice or removing an absent one is no error.

    Raises:
        StudyNotFound: if there is no study of that name.
        ConfigInvalid: if a tag is empty, too long, or holds a comma or a line break.
    """
    for word in add:
        if not word.strip() or len(word) > MAX_TAG_LENGTH or set(word) & set(",\n\r"):
            raise ConfigInvalid(f"a tag must have 1 to {MAX_TAG_LENGTH} characters and no comma, got {word[:60]!r}.")
    with _writer(engine).begin() as connection:
        study_id = _id(connection, name)
        of_study = study_tag.c.study_id == study_id
        connection.execute(delete(study_tag).where(of_study, study_tag.c.tag.in_([*add, *remove])))
        if add:
            connection.execute(insert(study_tag), [{"study_id": study_id, "tag": word} for word in dict.fromkeys(add)])
        tags = select(study_tag.c.tag).where(of_study).order_by(study_tag.c.tag)
        return list(connection.scalars(tags))


def note_study(engine: Engine, name: str, text: str) -> None:
    """Replace the note on a study; an empty text removes it.

    Raises:
        StudyNotFound: if there is no study of that name.
        ConfigInvalid: if the text is too long.
    """
    with _writer(engine).begin() as connection:
        _replace_note(connection, study_note, {"study_id": _id(connection, name)}, text)


def note_trial(engine: Engine, name: str, number: int, text: str) -> None:
    """Replace the note on a trial; an empty text removes it.

    Raises:
        StudyNotFound, TrialNotFound: if there is no such study or trial.
        ConfigInvalid: if the text is too long.
    """
    with _writer(engine).begin() as connection:
        study_id = _id(connection, name)
        found = select(trial.c.number).where(trial.c.study_id == study_id, trial.c.number == number)
        if connection.scalar(found) is None:
            raise TrialNotFound(f"study {name!r} has no trial {number}; list them: hnet study trials {name}")
        _replace_note(connection, trial_note, {"study_id": study_id, "number": number}, text)


def _replace_note(connection: Connection, table: Table, key: dict[str, int], text: str) -> None:
    if len(text) > MAX_NOTE_LENGTH:
        raise ConfigInvalid(f"a note must have at most {MAX_NOTE_LENGTH} characters, got {len(text)}; shorten it.")
    connection.execute(delete(table).where(*(table.c[name] == value for name, value in key.items())))
    if text.strip():
        connection.execute(insert(table).values(**key, text=text, written_at=datetime.now(UTC)))


def archive_study(engine: Engine, name: str, archived: bool = True) -> None:
    """Archive a study, or undo that: nothing is deleted, lists leave it out; raises StudyNotFound."""
    moment = datetime.now(UTC) if archived else None
    with _writer(engine).begin() as connection:
        connection.execute(update(study).where(study.c.id == _id(connection, name)).values(archived_at=moment))


def retry_trials(engine: Engine, name: str, numbers: Collection[int] = ()) -> list[int]:
    """Queue failed trials again and return their numbers; they run as a further attempt when the study is continued.

    Args:
        numbers: trials to queue; none given means every FAILED one.

    Raises:
        StudyNotFound: if there is no study of that name.
        StudyBusy: while a driver holds the study.
        TrialNotFound: if there is no such trial.
        ConfigInvalid: if one of them is not FAILED.
    """
    with _writer(engine).begin() as connection:
        study_id = _idle_id(connection, name)
        of_study = trial.c.study_id == study_id
        rows = connection.execute(select(trial.c.number, trial.c.state).where(of_study))
        states: dict[int, str] = {number: state for number, state in rows}  # noqa: C416 (rows are no pairs to mypy)
        for number in numbers:
            if number not in states:
                raise TrialNotFound(f"study {name!r} has no trial {number}; list them: hnet study trials {name}")
            if states[number] != FAILED:
                raise ConfigInvalid(f"trial {number} must be FAILED to be tried again, got {states[number]}.")
        chosen = sorted(numbers or (number for number, state in states.items() if state == FAILED))
        again = {"state": RUNNING, "reason": None, "traceback": None, "finished_at": None, "duplicate_of": None}
        for number in chosen:
            connection.execute(update(trial).where(of_study, trial.c.number == number).values(**again))
    return chosen


def remove_study(engine: Engine, name: str) -> str:
    """Delete a study with all its trials and measurements, for good, and return its uuid.

    Raises:
        StudyNotFound: if there is no study of that name.
        StudyBusy: while a driver holds the study.
    """
    with _writer(engine).begin() as connection:
        study_id = _idle_id(connection, name)
        uuid = connection.scalar(select(study.c.uuid).where(study.c.id == study_id))
        connection.execute(delete(study).where(study.c.id == study_id))
    return str(uuid)


def _writer(engine: Engine) -> Engine:
    return engine.execution_options(hnet_writes=True)


def _id(connection: Connection, name: str) -> int:
    found = connection.scalar(select(study.c.id).where(study.c.name == name))
    if found is None:
        raise StudyNotFound(f"study {name!r} is not in this database. List them: hnet study ls --all")
    return int(found)


def _idle_id(connection: Connection, name: str) -> int:
    study_id = _id(connection, name)
    held = select(study.c.lease_pid, study.c.lease_host).where(
        study.c.id == study_id, study.c.lease_until > epoch_now()
    )
    driver = connection.execute(held).one_or_none()
    if driver is not None:
        raise StudyBusy(
            f"study {name!r} must not be running, got process {driver.lease_pid} on {driver.lease_host}; "
            f"stop it first: hnet sweep stop {name}"
        )
    return study_id
