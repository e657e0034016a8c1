"""Notes that people wrote on studies and trials."""

from __future__ import annotations

from sqlalchemy import Engine, select

from studies.database.schema import study, study_note, trial_note


def study_note_of(engine: Engine, name: str) -> str | None:
    """Return the note on a study, None where there is none."""
    query = select(study_note.c.text).join(study, study.c.id == study_note.c.study_id).where(study.c.name == name)
    with engine.connect() as connection:
        return connection.scalar(query)


def trial_notes_of(engine: Engine, name: str) -> dict[int, str]:
    """Return the notes on the trials of a study by number."""
    query = (
        select(trial_note.c.number, trial_note.c.text)
        .join(study, study.c.id == trial_note.c.study_id)
        .where(study.c.name == name)
        .order_by(trial_note.c.number)
    )
    with engine.connect() as connection:
        return {number: text for number, text in connection.execute(query)}  # noqa: C416 (rows are no pairs to mypy)
