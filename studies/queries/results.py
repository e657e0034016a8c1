"""Evaluations with all that is needed to import them elsewhere: weights, measure, costs, state and settings."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Engine, func, select

from hnet_core.dotted_keys import flatten
from hnet_core.trial import UNHASHED_TRAINING_KEYS
from studies.database.schema import evaluation, run, trial
from studies.queries.queryable_columns import plain_fields
from studies.queries.record import StudyRecord
from studies.queries.row_selection import Rows, RowSelection
from studies.queries.trial_columns import setting_column

_NOT_RESULTS = frozenset(f"training.{key}" for key in UNHASHED_TRAINING_KEYS)


def results(engine: Engine, record: StudyRecord, selection: RowSelection) -> Rows:
    """Return one row per evaluation, see `Studies.results`."""
    columns = _columns()
    joined = evaluation.join(run, run.c.id == evaluation.c.run_id)
    joined = joined.join(trial, (trial.c.study_id == run.c.study_id) & (trial.c.number == run.c.number))
    query = select(*columns.values()).select_from(joined).where(run.c.study_id == record.id)
    by_default = [columns[name] for name in ("number", "seed", "split", "after_task", "on_task")]
    of_study = select(trial.c.number, trial.c.config, trial.c.params).where(trial.c.study_id == record.id)
    with engine.connect() as connection:
        found = connection.execute(selection.of(query, plain_fields(columns), engine.dialect.name, by_default)).all()
        settings = {
            number: params if record.is_imported else _settings(config, params)
            for number, config, params in connection.execute(of_study)
        }
    of_each = [settings[row.number] for row in found]
    names = list(dict.fromkeys(name for each in of_each for name in each))
    values = [(*row, *(each.get(name) for name in names)) for row, each in zip(found, of_each, strict=True)]
    return Rows([*columns, *map(setting_column, names)], values)


def _columns() -> dict[str, ColumnElement[Any]]:
    cells = [run.c.number, run.c.seed, evaluation.c.split, evaluation.c.after_task, evaluation.c.on_task]
    of_trial = [trial.c.measure, trial.c.target_weights, trial.c.model_weights, trial.c.hypernet_weights]
    of_run = [run.c.n_tasks, trial.c.state]
    costs = {name: func.nullif(run.c[name], 0) for name in ("seconds", "peak_memory_mib")}
    return {**{column.name: column for column in (*cells, evaluation.c.value, *of_trial, *of_run)}, **costs}


def _settings(config: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """Return the settings that decide the results, by dotted name."""
    known = {name: value for name, value in flatten(config) if name not in _NOT_RESULTS and value is not None}
    return known | params
