"""Notes, tags and archive: what people, not drivers, wrote on studies and trials."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, select

from studies.database.schema import study, study_note, study_tag, trial_note


@dataclass(frozen=True)
class Labels:
    """The tags of a study, in alphabetical order, its note, and when it was archived."""

    tags: list[str]
    note: str | None
    archived_at: datetime | None


def labels_of(engine: Engine, name: str) -> Labels:
    """Return what people wrote on a study; nothing where there is no such study."""
    tags = select(study_tag.c.tag).join(study, study.c.id == study_tag.c.study_id).where(study.c.name == name)
    note = select(study_note.c.text).join(study, study.c.id == study_note.c.study_id).where(study.c.name == name)
    with engine.connect() as connection:
        return Labels(
            list(connection.scalars(tags.order_by(study_tag.c.tag))),
            connection.scalar(note),
            connection.scalar(select(study.c.archived_at).where(study.c.name == name)),
        )


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
