"""Trials whose results an earlier version of this program computed in a wrong way."""

from __future__ import annotations

from collections import Counter

from sqlalchemy import Connection, Engine, Text, case, cast, func, or_, select

from hnet_core.config_validation import parse_trial
from hnet_core.configuration.corrected_results import CORRECTED_METHODS, corrected_faults
from hnet_core.configuration.normalization_choice import had_wrong_statistics
from hnet_core.errors import HnetError
from studies.database.integer_sets import one_of
from studies.database.schema import RUNNING, run, trial

WRONG_NORMALIZATIONS = ("task", "running")  # those that `had_wrong_statistics` may name


def outdated_results(engine: Engine, study_id: int) -> dict[str, int]:
    """Return what was wrong, with the number of trials that have results of that kind."""
    with engine.connect() as connection:
        if not _may_have_any(connection, study_id):
            return {}
        return dict(_wrong_statistics(connection, study_id) + _before_corrections(connection, study_id))


def _may_have_any(connection: Connection, study_id: int) -> bool:
    """Return whether any configuration is of a kind that is looked at below: of most studies none is."""
    config = trial.c.config
    of_kind = or_(
        config[("target", "normalization")].as_string().in_(WRONG_NORMALIZATIONS),
        config[("method", "name")].as_string().in_(CORRECTED_METHODS),
    )
    if connection.dialect.name == "postgresql":  # parses the whole text for each value that is taken from it
        words = ("normalization", *CORRECTED_METHODS)
        is_mentioned = or_(*(func.strpos(cast(config, Text), f'"{word}"') > 0 for word in words))
        of_kind = case((is_mentioned, of_kind), else_=False)
    query = select(trial.c.number).where(trial.c.study_id == study_id, of_kind).limit(1)
    return connection.execute(query).first() is not None


def _wrong_statistics(connection: Connection, study_id: int) -> Counter[str]:
    config = trial.c.config
    normalization = config[("target", "normalization")].as_string()
    of_config = (
        config[("method", "name")].as_string(),
        config[("method", "beta_output")].as_string(),  # an imported setting may be any text
        config[("target", "name")].as_string(),
        normalization,
    )
    query = (
        select(*of_config, func.count())
        .where(trial.c.study_id == study_id, normalization.in_(WRONG_NORMALIZATIONS), _HAS_RUN)
        .group_by(*of_config)
    )
    found: Counter[str] = Counter()
    for method, beta_output, target, kind, count in connection.execute(query):
        fault = had_wrong_statistics(
            {
                "method": {"name": method, "beta_output": _number(beta_output)},
                "target": {"name": target, "normalization": kind},
            }
        )
        if fault is not None:
            found[fault] += count
    return found


def _before_corrections(connection: Connection, study_id: int) -> Counter[str]:
    """Count trials, also running ones, under a hash that their configuration had before its results were corrected."""
    name, beta_output = (trial.c.config[("method", key)].as_string() for key in ("name", "beta_output"))
    of_study = (trial.c.study_id == study_id, name.in_(CORRECTED_METHODS), or_(_HAS_RUN, trial.c.state == RUNNING))
    candidates = connection.execute(select(trial.c.number, name, beta_output).where(*of_study)).all()
    numbers = [
        number
        for number, method, beta in candidates
        if corrected_faults({"name": method, "beta_output": _number(beta)})
    ]
    query = select(trial.c.config, trial.c.config_hash).where(
        trial.c.study_id == study_id, one_of(trial.c.number, numbers)
    )
    found: Counter[str] = Counter()
    for config, config_hash in connection.execute(query):
        try:
            fault = parse_trial(config).earlier_hashes().get(config_hash)
        except HnetError:  # an imported configuration that nothing here trained
            continue
        if fault is not None:
            found[fault] += 1
    return found


_HAS_RUN = select(run.c.id).where(run.c.study_id == trial.c.study_id, run.c.number == trial.c.number).exists()


def _number(value: object) -> float | None:
    """Return a stored setting as a number; None where it is none."""
    try:
        return None if value is None else float(str(value))
    except ValueError:
        return None
