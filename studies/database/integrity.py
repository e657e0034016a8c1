"""Integrity check of a study database: damaged files, contradictory rows, summaries that differ from the raw
measurements.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, Text, and_, func, or_, select, text, type_coerce

from studies.database.schema import COMPLETE, FAILED, RUNNING, evaluation, run, study, trial
from studies.database.stored_metrics import add_summaries, check_summaries, windows


@dataclass(frozen=True)
class Checked:
    """Number of rows read, and one line per problem."""

    studies: int
    trials: int
    runs: int
    evaluations: int
    problems: list[str]


def check_database(engine: Engine) -> Checked:
    """Check a database for damage, contradictions and wrong summaries; changes nothing."""
    with engine.connect() as connection:
        problems = [*_damage(connection), *_no_json(connection)]
        problems += [*_contradictions(connection), *check_summaries(connection)]
        studies, trials, runs, evaluations = (
            connection.scalar(select(func.count()).select_from(table)) or 0 for table in (study, trial, run, evaluation)
        )
    return Checked(studies, trials, runs, evaluations, problems)


def repair_summaries(engine: Engine) -> None:
    """Derive every summary again from the raw measurements, which are not changed."""
    with engine.execution_options(hnet_writes=True).begin() as connection:
        for trials in windows(connection):
            add_summaries(connection, trials)


def _damage(connection: Connection) -> Iterator[str]:
    if connection.dialect.name == "sqlite":
        for (line,) in connection.execute(text("PRAGMA integrity_check")):
            if line != "ok":
                yield f"the file is damaged: {line}"
        for table, row, parent, _ in connection.execute(text("PRAGMA foreign_key_check")):
            yield f"row {row} of {table} refers to a row of {parent} that is not there"


def _no_json(connection: Connection) -> Iterator[str]:
    """Settings that are no JSON, such as NaN: SQLite then answers no question about any setting in the database."""
    if connection.dialect.name != "sqlite":  # PostgreSQL refuses them
        return
    for column in (trial.c.config, trial.c.params):
        query = select(study.c.name, trial.c.number).join(study, study.c.id == trial.c.study_id)
        for name, number in connection.execute(query.where(func.json_valid(type_coerce(column, Text())) == 0)):
            yield (
                f"trial {number} of {name!r} has a {column.name} that is no JSON (NaN or infinity); remove the study "
                f"(hnet study rm {shlex.quote(name)}) and import it again"
            )
    for name in connection.scalars(select(study.c.name).where(func.json_valid(type_coerce(study.c.spec, Text())) == 0)):
        yield f"study {name!r} has a spec that is no JSON (NaN or infinity)"


def _contradictions(connection: Connection) -> Iterator[str]:
    """Find rows that no driver writes, one query per kind of contradiction."""
    has_run = select(run.c.id).where(run.c.study_id == trial.c.study_id, run.c.number == trial.c.number).exists()
    original = trial.alias()
    measured = (
        select(original.c.number)
        .where(
            original.c.study_id == trial.c.study_id,
            original.c.number == trial.c.duplicate_of,
            original.c.state == COMPLETE,
        )
        .exists()
    )
    kinds = {
        "is COMPLETE and has no run": and_(trial.c.state == COMPLETE, trial.c.duplicate_of.is_(None), ~has_run),
        "duplicates a trial that is not COMPLETE": and_(
            trial.c.state == COMPLETE, trial.c.duplicate_of.is_not(None), ~measured
        ),
        "is finished and has no moment of it": and_(trial.c.state != RUNNING, trial.c.finished_at.is_(None)),
        "is RUNNING and has a moment of its end": and_(trial.c.state == RUNNING, trial.c.finished_at.is_not(None)),
        "is FAILED and has no reason": and_(trial.c.state == FAILED, trial.c.reason.is_(None)),
        "has no positive weight counts": or_(trial.c.target_weights <= 0, trial.c.model_weights < 0),
    }
    for what, kind in kinds.items():
        query = select(study.c.name, trial.c.number).join(study, study.c.id == trial.c.study_id).where(kind)
        for name, number in connection.execute(query):
            yield f"trial {number} of {name!r} {what}"
    outside = or_(evaluation.c.on_task > run.c.n_tasks, evaluation.c.after_task > run.c.n_tasks)
    is_cosine = evaluation.c.split == "gradient_cosine"
    wrong = or_(
        and_(trial.c.measure == "accuracy", ~is_cosine, or_(evaluation.c.value < 0, evaluation.c.value > 1)),
        and_(is_cosine, func.abs(evaluation.c.value) > 1),
    )
    cells = (
        select(run.c.id, func.count())
        .select_from(evaluation.join(run, run.c.id == evaluation.c.run_id).join(trial))
        .where(or_(outside, wrong))
        .group_by(run.c.id)
    )
    for run_id, n in connection.execute(cells):
        yield f"run {run_id} has {n} evaluations of a task it does not have, or outside its bounds"
