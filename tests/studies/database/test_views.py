"""The SQL views and `studies.metrics.definitions` are two ways to the same numbers."""

from __future__ import annotations

import math
from typing import Any

import pytest
from sqlalchemy import Engine, text

from hnet_core.trial import TrialResult
from studies.metrics.definitions import METRICS
from studies.metrics.values import run_metrics
from studies.queries.studies import Studies
from studies.store.store import Store
from tests.reports.cases import inferring
from tests.studies.sample import describe, sample_params, sample_result, sample_study
from tests.studies.store.test_store import PARAMS


def rows_of(engine: Engine, view: str) -> list[dict[str, Any]]:
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(text(f"SELECT * FROM {view} ORDER BY number")).mappings()]


def same(left: Any, right: Any) -> bool:
    missing = [value is None or math.isnan(value) for value in (left, right)]
    return all(missing) if any(missing) else left == pytest.approx(right, abs=1e-12)


def test_run_metrics_equal_the_metrics_of_each_result(engine: Engine) -> None:
    name = sample_study(engine, 3, seeds=2, n_tasks=4)
    rows = rows_of(engine, "run_metrics")
    assert len(rows) == 6
    for row in rows:
        expected = run_metrics(sample_result(_params(engine, name, row["number"]), 4, row["seed"]))
        assert all(same(row[metric], expected[metric]) for metric in METRICS), row


def _params(engine: Engine, name: str, number: int) -> dict[str, Any]:
    return dict(Studies(engine).trial(name, number)["params"])


@pytest.mark.parametrize(
    "kind", ["mse", "one task", "last row only", "hole in the last row", "no validation", "task inferred"]
)
def test_views_agree_where_only_some_metrics_are_defined(
    store: Store, engine: Engine, study_id: int, launch_id: int, kind: str
) -> None:
    n_tasks = 1 if kind == "one task" else 3
    measure = "mse" if kind == "mse" else "accuracy"
    result = _changed(sample_result(PARAMS, n_tasks, 0, measure), kind)
    store.start_trial(study_id, 0, describe(PARAMS, n_tasks, measure), launch_id=launch_id, attempt=1)
    store.complete_trial(study_id, 0, 1, [result])
    expected = run_metrics(result)
    found = Studies(engine).runs("s").iloc[0]
    [row] = rows_of(engine, "run_metrics")
    [mean] = rows_of(engine, "trial_metrics")
    for metric in METRICS:
        assert same(row[metric], expected[metric]), metric
        assert same(mean[metric], expected[metric]), metric
        assert same(found[metric], expected[metric]), metric


def _changed(result: TrialResult, kind: str) -> TrialResult:
    import dataclasses

    nothing = (None, None, None)
    if kind == "last row only":
        return dataclasses.replace(result, test=(nothing, nothing, result.test[2]))
    if kind == "hole in the last row":
        return dataclasses.replace(result, test=(*result.test[:2], (0.5, None, 0.5)))
    if kind == "task inferred":
        return inferring(result)
    return dataclasses.replace(result, validation=None) if kind == "no validation" else result


def test_trial_metrics_equal_the_table_of_trials(engine: Engine) -> None:
    name = sample_study(engine, 12)
    sample_study(engine, 2, name="another")  # must not mix with the first
    trials = Studies(engine).trials(name)
    rows = [row for row in rows_of(engine, "trial_metrics") if row["study"] == name]
    assert [row["state"] for row in rows] == trials["state"].tolist()
    assert [row["n"] for row in rows] == trials["n"].tolist()
    for row, (_, trial) in zip(rows, trials.iterrows(), strict=True):
        assert all(same(row[metric], trial[metric]) for metric in METRICS), row["number"]


def test_parameter_is_read_from_json_as_the_schema_page_says(engine: Engine) -> None:
    sample_study(engine, 2)
    import numpy as np

    first = sample_params(np.random.default_rng(1))
    path = """'$."hypernet.chunk_size"'""" if engine.dialect.name == "sqlite" else "'hypernet.chunk_size'"
    with engine.connect() as connection:
        query = f"SELECT params ->> {path} FROM trial_metrics WHERE number = 0"
        assert int(connection.scalar(text(query)) or 0) == first["hypernet.chunk_size"]
