"""Table of all measured configurations: runs of one configuration are pooled across studies.

Configurations are identified by their hash. A seed that several studies trained counts once, by its newest run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Engine, FromClause, Select, func, select

from studies.database.count_columns import count_columns
from studies.database.schema import run, run_summary, study, trial
from studies.metrics.definitions import COST_METRICS, MATRIX_METRICS, METRICS, VARYING
from studies.missing import nan_to_none
from studies.queries.queryable_columns import plain_fields
from studies.queries.row_selection import Rows, RowSelection
from studies.queries.trial_columns import part_columns
from studies.statistics.interval import Interval
from studies.statistics.intervals import bounded, over_seeds

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def configurations(engine: Engine, selection: RowSelection) -> Rows:
    """Return one row per configuration with a finished run; columns as in `Studies.configurations`."""
    columns, joined = _columns()
    query = select(*columns.values()).select_from(joined)
    by_default = (columns["stream"], columns["dataset"], columns["config_hash"])
    with engine.connect() as connection:
        found = connection.execute(selection.of(query, plain_fields(columns), engine.dialect.name, by_default))
        rows = [dict(zip(columns, row, strict=True)) for row in found]
        if rows:
            _add_bounds(rows, connection.execute(_values([row["config_hash"] for row in rows])).all())
            _add_studies(rows, connection.execute(_studies([row["config_hash"] for row in rows])).all())
    names = [*_HEAD, *(f"{name}{end}" for name in METRICS for end in _ends(name)), "config", "measure"]
    return Rows(names, [[row.get(name) for name in names] for row in rows], seeds_of=[row["seeds_of"] for row in rows])


_HEAD = ["config_hash", "stream", "dataset", "n_tasks", "method", "target", "hypernet", "studies", "n"]


def _ends(name: str) -> tuple[str, ...]:
    return ("", ".low", ".high") if name in VARYING else ("",)


def _newest() -> Any:
    """Return the newest run of each configuration and seed."""
    joined = run.join(trial, _of_trial())
    newest = select(func.max(run.c.id).label("id"), trial.c.config_hash).select_from(joined)
    return newest.group_by(trial.c.config_hash, run.c.seed).subquery()


def _of_trial() -> ColumnElement[bool]:
    return (trial.c.study_id == run.c.study_id) & (trial.c.number == run.c.number)


def _columns() -> tuple[dict[str, ColumnElement[Any]], FromClause]:
    newest = _newest()
    costs = {name: func.nullif(run.c[name], 0) for name in COST_METRICS}
    measured = {name: run_summary.c[name] for name in MATRIX_METRICS} | costs
    joined = newest.join(run, run.c.id == newest.c.id).outerjoin(run_summary, run_summary.c.run_id == run.c.id)
    means = (
        select(
            func.max(run.c.id).label("run_id"),
            func.count().label("n"),
            *(func.avg(column).label(name) for name, column in measured.items()),
        )
        .select_from(joined)
        .group_by(newest.c.config_hash)
        .subquery()
    )
    one = run.alias()  # one of its runs stands for the configuration: all have the same
    counts = count_columns()
    of_config = trial.c.config
    columns: dict[str, ColumnElement[Any]] = {
        "config_hash": trial.c.config_hash,
        **part_columns(),
        "dataset": of_config[("stream", "dataset")].as_string(),
        "n_tasks": one.c.n_tasks,
        "n": means.c.n,
        **{name: counts[name] if name in counts else means.c[name] for name in METRICS},
        "config": of_config,
        "measure": trial.c.measure,
    }
    same = (trial.c.study_id == one.c.study_id) & (trial.c.number == one.c.number)
    return columns, means.join(one, one.c.id == means.c.run_id).join(trial, same)


def _values(hashes: list[str]) -> Select[Any]:
    newest = _newest()
    costs = [func.nullif(run.c[name], 0) for name in COST_METRICS]
    joined = newest.join(run, run.c.id == newest.c.id).outerjoin(run_summary, run_summary.c.run_id == run.c.id)
    query = select(newest.c.config_hash, *(run_summary.c[name] for name in MATRIX_METRICS), *costs).select_from(joined)
    return query if len(hashes) > _MANY else query.where(newest.c.config_hash.in_(hashes))


_MANY = 500  # values in one condition; beyond it all are read


def _studies(hashes: list[str]) -> Select[Any]:
    joined = run.join(trial, _of_trial()).join(study, study.c.id == run.c.study_id)
    query = select(trial.c.config_hash, study.c.name).select_from(joined).distinct().order_by(study.c.name)
    return query if len(hashes) > _MANY else query.where(trial.c.config_hash.in_(hashes))


def _add_bounds(rows: list[dict[str, Any]], found: Any) -> None:
    import numpy as np

    for row in rows:
        row["seeds_of"] = {}
    place = {row["config_hash"]: i for i, row in enumerate(rows)}
    of_rows = [one for one in found if one[0] in place]
    group: NDArray[np.int_] = np.array([place[one[0]] for one in of_rows])
    for column, name in enumerate([*MATRIX_METRICS, *COST_METRICS], start=1):
        values = np.array([one[column] for one in of_rows], dtype=float)
        seeds = np.bincount(group[np.isfinite(values)], minlength=len(rows))
        for row, n, *numbers in zip(
            rows, *(part.tolist() for part in (seeds, *over_seeds(group, values))), strict=True
        ):
            mean, low, high = map(nan_to_none, numbers)
            interval = bounded(name, Interval(mean, low, high, n))
            row |= {name: interval.mean, f"{name}.low": interval.low, f"{name}.high": interval.high}
            row["seeds_of"][name] = n


def _add_studies(rows: list[dict[str, Any]], found: Any) -> None:
    names: dict[str, list[str]] = {}
    for config_hash, name in found:
        names.setdefault(config_hash, []).append(name)
    for row in rows:
        row["studies"] = names[row["config_hash"]]
