"""Pages of a table of trials by key: a page begins after a trial, whatever was added or finished in between."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Engine, and_, false, or_, select

from studies.database.schema import trial
from studies.errors import TrialNotFound
from studies.queries.queryable_columns import QueryableColumn, sort_keys
from studies.queries.record import StudyRecord
from studies.queries.trial_columns import with_summary


def followers(
    engine: Engine, record: StudyRecord, number: int, sort: str | None, fields: Mapping[str, QueryableColumn]
) -> ColumnElement[bool]:
    """Make the condition that a trial comes after the one of that number, in the order `sort` and then by number.

    Raises:
        TrialNotFound: if the study has no trial of that number.
        ConfigInvalid: if `sort` names an unknown column.
    """
    keys = [] if sort is None else sort_keys(sort, fields)
    of_study = trial.c.study_id == record.id
    query = select(trial.c.number, *(key for key, _ in keys)).select_from(with_summary())
    with engine.connect() as connection:
        row = connection.execute(query.where(of_study, trial.c.number == number)).one_or_none()
    if row is None:
        raise TrialNotFound(f"study {record.name!r} has no trial {number} for a page to begin after.")
    later: list[ColumnElement[bool]] = []
    equal: list[ColumnElement[bool]] = []
    for (key, is_descending), value in zip(keys, row[1:], strict=True):
        later.append(and_(*equal, _comes_after(key, is_descending, value)))
        equal.append(key.is_(None) if value is None else key == value)
    return or_(*later, and_(*equal, trial.c.number > number))


def _comes_after(key: ColumnElement[Any], is_descending: bool, value: Any) -> ColumnElement[bool]:
    """Missing values come last, so nothing comes after one."""
    if value is None:
        return false()
    return or_(key < value if is_descending else key > value, key.is_(None))
