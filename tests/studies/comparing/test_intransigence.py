from __future__ import annotations

import dataclasses
import json

import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner

from hnet_core.errors import ConfigInvalid
from studies.comparing.configurations import find_configuration
from studies.comparing.intransigence import intransigence
from studies.metrics.definitions import METRICS
from studies.queries.studies import Studies
from studies.statistics.hypervolume import REFERENCE_POINT, front_hypervolume
from studies.store.store import Store
from sweeps.cli.study import app
from tests.studies.sample import PROVENANCE, describe, sample_result, sample_study
from tests.studies.store.test_store import PARAMS

NO = (None, None)


@pytest.fixture
def found(sqlite_engine: Engine) -> Studies:
    """Trial 0 learns two tasks in turn, seeds 0 to 2; trial 1 both at once, seeds 1 to 3; worked out by hand."""
    store = Store(sqlite_engine)
    study_id = store.create_study("s", {}, 3)
    launch_id = store.record_launch(study_id, PROVENANCE)
    for number, (seeds, matrix) in enumerate(
        [(range(3), lambda s: ((0.9, None), (0.8, 0.70 + s / 100))), (range(1, 4), lambda s: (NO, (0.9, 0.8 + s / 50)))]
    ):
        store.start_trial(study_id, number, describe(PARAMS, 2), launch_id=launch_id, attempt=1)
        runs = [dataclasses.replace(sample_result(PARAMS, 2, seed), test=matrix(seed)) for seed in seeds]
        store.complete_trial(study_id, number, 1, runs)
    sample_study(sqlite_engine, 3, n_tasks=4)
    return Studies(sqlite_engine)


def test_intransigence_is_the_gap_to_joint_training_on_the_last_task_by_seed(found: Studies) -> None:
    interval = intransigence(found, find_configuration(found, "s:0"), find_configuration(found, "s:1"))
    gaps = [0.82 - 0.71, 0.84 - 0.72]  # seeds 1 and 2
    assert interval.n == 2
    assert interval.mean == pytest.approx(sum(gaps) / 2)


def test_joint_training_must_be_on_the_same_tasks(found: Studies) -> None:
    with pytest.raises(
        ConfigInvalid, match="must be trained on the tasks of s:0, got sample-tradeoff:0: different streams: "
    ):
        intransigence(found, find_configuration(found, "s:0"), find_configuration(found, "sample-tradeoff:0"))


def test_show_prints_intransigence_on_request_and_the_area_of_the_front(found: Studies, sqlite_engine: Engine) -> None:
    db = ["--db", str(sqlite_engine.url.database), "--format", "json"]
    shown = json.loads(CliRunner().invoke(app, ["show", "s", "0", "--joint", "s:1", *db]).stdout)
    assert shown["intransigence"]["n"] == 2
    shown = json.loads(CliRunner().invoke(app, ["show", "sample-tradeoff", *db]).stdout)
    assert shown["hypervolume"]["reference"] == {"final_accuracy": 0.0, "compression_ratio": 2.0}
    assert 0 < shown["hypervolume"]["share"] == shown["hypervolume"]["value"] / 2 < 1


def test_area_of_a_front_worked_out_by_hand() -> None:
    objectives = {"final_accuracy": "maximize", "compression_ratio": "minimize"}
    front = [{"final_accuracy": 0.9, "compression_ratio": 1.0}, {"final_accuracy": 0.5, "compression_ratio": 0.5}]
    found = front_hypervolume(front, objectives)
    assert found is not None
    assert found["value"] == pytest.approx(0.9 * 1.0 + 0.5 * 0.5)
    assert found["share"] == pytest.approx(1.15 / 2)
    assert front_hypervolume(front, {**objectives, "seconds": "minimize"}) is None
    assert front_hypervolume([], objectives) is None
    assert front_hypervolume(front, {**objectives, "final_accuracy": "minimize"}) is None


@pytest.mark.parametrize("metric", sorted(REFERENCE_POINT))
def test_a_front_at_the_best_value_there_is_dominates_the_whole_box(metric: str) -> None:
    """Forgetting is negative, down to -1, where later tasks help: a box from 0 on gives shares above 1."""
    other = "compression_ratio" if metric != "compression_ratio" else "final_accuracy"
    best = {
        name: METRICS[name].highest if METRICS[name].better == "higher" else METRICS[name].lowest
        for name in REFERENCE_POINT
    }
    objectives = {name: "maximize" if METRICS[name].better == "higher" else "minimize" for name in (metric, other)}
    found = front_hypervolume([best], objectives)
    assert found is not None
    assert found["share"] == 1
