"""Trials whose results an earlier version of this program computed in a wrong way."""

from __future__ import annotations

from sqlalchemy import Engine, func, select

from hnet_core.configuration.normalization_choice import had_wrong_statistics
from studies.database.schema import run, trial


def outdated_results(engine: Engine, study_id: int) -> dict[str, int]:
    """Return what was wrong, with the number of trials that have results of that kind."""
    config = trial.c.config
    normalization = config[("target", "normalization")].as_string()
    of_config = (
        config[("method", "name")].as_string(),
        config[("method", "beta_output")].as_string(),  # an imported setting may be any text
        config[("target", "name")].as_string(),
        normalization,
    )
    has_run = select(run.c.id).where(run.c.study_id == trial.c.study_id, run.c.number == trial.c.number).exists()
    query = (
        select(*of_config, func.count())
        .where(trial.c.study_id == study_id, normalization.in_(("task", "running")), has_run)
        .group_by(*of_config)
    )
    found: dict[str, int] = {}
    with engine.connect() as connection:
        for method, beta_output, target, kind, count in connection.execute(query):
            fault = had_wrong_statistics(
                {
                    "method": {"name": method, "beta_output": _number(beta_output)},
                    "target": {"name": target, "normalization": kind},
                }
            )
            if fault is not None:
                found[fault] = found.get(fault, 0) + count
    return found


def _number(value: object) -> float | None:
    """Return a stored setting as a number; None where it is none."""
    try:
        return None if value is None else float(str(value))
    except ValueError:
        return None
