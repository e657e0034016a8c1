"""Tables of studies, trials, runs and evaluations as plain rows; `Studies` documents their columns.

Each takes a selection of rows as `--where`, `--sort` and `--limit` describe it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Engine, Select, and_, func, or_, select, true

from studies.database.integer_sets import one_of
from studies.database.schema import PRUNED, evaluation, run, run_summary, study, study_tag, trial
from studies.metrics.definitions import VARYING
from studies.queries.choice import choose
from studies.queries.paging import followers
from studies.queries.queryable_columns import QueryableColumn, in_json, known, plain_fields
from studies.queries.record import StudyRecord
from studies.queries.row_selection import Rows, RowSelection
from studies.queries.study_columns import study_columns
from studies.queries.trial_columns import run_columns, setting_column, trial_columns, with_summary

FEW = 3000  # trials that are looked up one by one; of more, all runs of the study are read


def study_rows(engine: Engine, selection: RowSelection, tag: str | None = None, archived: bool = False) -> Rows:
    """Return one row per study, oldest first; archived ones only on request."""
    columns, joined = study_columns()
    query = select(*columns.values()).select_from(joined)
    if not archived:
        query = query.where(study.c.archived_at.is_(None))
    if tag is not None:
        query = query.where(study.c.id.in_(select(study_tag.c.study_id).where(study_tag.c.tag == tag)))
    query = selection.of(query, plain_fields(columns), engine.dialect.name, (study.c.id,))
    return Rows(list(columns), _read(engine, query))


def trial_rows(
    engine: Engine,
    record: StudyRecord,
    selection: RowSelection,
    *conditions: ColumnElement[bool],
    columns: Sequence[str] | None = None,
) -> Rows:
    """Return one row per trial of a study, by number.

    Args:
        conditions: further conditions on the table of trials.
        columns: only these, searched values among them.
    """
    listed = trial_columns()
    fields = _fields(engine, record, listed, selection, columns or ())
    wanted = dict(listed)
    if columns is not None:
        searched = [name for name in columns if name not in listed and known(name, fields, "columns")]
        wanted = {name: listed[name] for name in [*columns, *(["params"] if searched else [])] if name in listed}
    query = select(*wanted.values()).select_from(with_summary()).where(trial.c.study_id == record.id, *conditions)
    if selection.after is not None:
        query = query.where(followers(engine, record, selection.after, selection.sort, fields))
    query = selection.of(query, fields, engine.dialect.name, (trial.c.number,))
    has_params = "params" in wanted
    values = _read(engine, query)
    return Rows(
        list(wanted),
        values,
        seeds_of=_seeds_of(engine, record, list(wanted), values),
        searched=record.searched if has_params else None,
        searched_after="hypernet" if columns is None else None,
        shown=columns,
    )


def front_rows(engine: Engine, record: StudyRecord, selection: RowSelection, x: str | None = None) -> Rows:
    """Return the rows of the trials on the front of a study, by compression ratio or the last objective.

    Args:
        x: a cost that decides the front together with the quality, in place of the objectives; it sorts the rows too.

    Raises:
        ConfigInvalid: if `x` is no cost.
    """
    objectives = record.objectives
    by = "compression_ratio" if "compression_ratio" in objectives else list(objectives)[-1]
    members = one_of(trial.c.number, choose(engine, record, x).front)
    return trial_rows(engine, record, selection.sorted_by(by if x is None else x), members)


def run_rows(engine: Engine, record: StudyRecord, selection: RowSelection) -> Rows:
    """Return one row per finished run of a study, by number and seed; those of pruned trials are left out."""
    columns = run_columns()
    joined = run.join(trial, (trial.c.study_id == run.c.study_id) & (trial.c.number == run.c.number))
    query = (
        select(*columns.values())
        .select_from(joined.outerjoin(run_summary, run_summary.c.run_id == run.c.id))
        .where(run.c.study_id == record.id, trial.c.state != PRUNED)
    )
    fields = _fields(engine, record, columns, selection)
    query = selection.of(query, fields, engine.dialect.name, (run.c.number, run.c.seed))
    return Rows(list(columns), _read(engine, query), searched=record.searched, searched_after="n_tasks")


def run_values(engine: Engine, study_id: int, metrics: Sequence[str]) -> Sequence[Any]:
    """Return (number, value of each metric) of every finished run, by number and seed; cheaper than `run_rows`."""
    columns = run_columns()
    joined = run.join(trial, (trial.c.study_id == run.c.study_id) & (trial.c.number == run.c.number))
    query = (
        select(run.c.number, *(columns[name] for name in metrics))
        .select_from(joined.outerjoin(run_summary, run_summary.c.run_id == run.c.id))
        .where(run.c.study_id == study_id, trial.c.state != PRUNED)
        .order_by(run.c.number, run.c.seed)
    )
    return _read(engine, query)


def evaluation_rows(engine: Engine, study_id: int, selection: RowSelection) -> Rows:
    """Return one row per evaluated cell of a study, by run, split, task trained and task evaluated."""
    cells = (run.c.number, run.c.seed, evaluation.c.split, evaluation.c.after_task, evaluation.c.on_task)
    columns = {column.name: column for column in (*cells, evaluation.c.value)}
    joined = evaluation.join(run, run.c.id == evaluation.c.run_id)
    query = select(*columns.values()).select_from(joined).where(run.c.study_id == study_id)
    query = selection.of(query, plain_fields(columns), engine.dialect.name, cells)
    return Rows(list(columns), _read(engine, query))


def _seeds_of(
    engine: Engine, record: StudyRecord, columns: list[str], rows: Sequence[Sequence[Any]]
) -> list[Mapping[str, int]] | None:
    """Return `Rows.seeds_of` for rows of trials; None where they do not say which trial and how many seeds it is."""
    if not {"number", "duplicate_of", "n"} <= set(columns):
        return None
    metrics = {name: column for name, column in run_columns().items() if name in VARYING}
    known = {name: func.count(column).label(name) for name, column in metrics.items()}
    some = or_(*(and_(n > 0, n < func.count()) for n in known.values()))
    joined = run.join(run_summary, run_summary.c.run_id == run.c.id)
    query = select(run.c.number, *known.values()).select_from(joined).where(run.c.study_id == record.id)
    number, original = columns.index("number"), columns.index("duplicate_of")
    if len(rows) <= FEW:
        query = query.where(one_of(run.c.number, [row[number] for row in rows] + [row[original] or 0 for row in rows]))
    with engine.connect() as connection:
        found = connection.execute(query.group_by(run.c.number).having(some)).mappings().all()
    of_trial = {row["number"]: {name: row[name] for name in metrics} for row in found}
    return [of_trial.get(row[number] if row[original] is None else row[original], {}) for row in rows]


def _fields(
    engine: Engine,
    record: StudyRecord,
    columns: Mapping[str, ColumnElement[Any]],
    selection: RowSelection,
    also: Iterable[str] = (),
) -> dict[str, QueryableColumn]:
    """Return the fields that a condition or an order may name: columns and searched values; `also` is named too."""
    fields = plain_fields(columns)
    searched = dict.fromkeys(record.searched)
    named = selection.names() | {*also} - {*columns}
    if not named <= {*fields, *searched}:  # enqueued and imported trials may hold values that are not searched
        searched |= dict.fromkeys(_stored_params(engine, record.id))
    dialect = engine.dialect.name
    return fields | {setting_column(name): in_json(trial.c.params, name, dialect) for name in searched}


def _stored_params(engine: Engine, study_id: int) -> list[str]:
    each = func.json_each if engine.dialect.name == "sqlite" else func.json_each_text
    keys = each(trial.c.params).table_valued("key")
    query = select(keys.c.key).select_from(trial.join(keys, true())).where(trial.c.study_id == study_id).distinct()
    return sorted(key for (key,) in _read(engine, query))


def _read(engine: Engine, query: Select[Any]) -> Sequence[Any]:
    with engine.connect() as connection:
        return connection.execute(query).all()
