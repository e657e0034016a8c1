"""The table of studies as SQL."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, FromClause, case, func, select

from studies.database.schema import STATES, study, study_tag, trial


def study_columns() -> tuple[dict[str, ColumnElement[Any]], FromClause]:
    """Return the columns of the table of studies, and the tables they come from."""
    counted = (
        select(
            trial.c.study_id,
            func.count().label("trials"),
            *(func.sum(case((trial.c.state == state, 1), else_=0)).label(state.lower()) for state in STATES),
        )
        .group_by(trial.c.study_id)
        .subquery()
    )
    tags = (
        select(func.aggregate_strings(study_tag.c.tag, ", "))
        .where(study_tag.c.study_id == study.c.id)
        .scalar_subquery()
    )
    columns = {
        "name": study.c.name,
        "created_at": study.c.created_at,
        **{name: func.coalesce(counted.c[name], 0) for name in ("trials", *(state.lower() for state in STATES))},
        "seeds": study.c.seeds,
        "objectives": study.c.spec["objectives"],
        "driver_seconds": study.c.driver_seconds,
        "tags": tags,
        "archived_at": study.c.archived_at,
    }
    return columns, study.outerjoin(counted, counted.c.study_id == study.c.id)
