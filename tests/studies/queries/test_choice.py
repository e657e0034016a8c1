"""The front and the best configurations, as every command and report shows them."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence

import pytest
from click.testing import Result
from sqlalchemy import Engine
from typer.testing import CliRunner

from hnet_core.trial import WeightCounts
from reports.analysis.recommendation import recommend
from reports.data.compared_methods import compared_methods
from reports.data.study_data import read_study
from studies.comparing.configurations import find_configuration
from studies.errors import TrialNotFound
from studies.queries.studies import Studies
from studies.store.store import Store
from sweeps.cli.study import app
from tests.studies.sample import PROVENANCE, describe, sample_result
from tests.studies.store.test_store import PARAMS

OBJECTIVES = {"final_accuracy": "maximize", "compression_ratio": "minimize"}
TRIALS = [(0.7, 0.7, 0.5), (0.8, 0.8, 0.6), (0.9, 0.9, 0.7)]


def fill(
    engine: Engine, trials: Sequence[tuple[float | None, float | None, float]], constraints: Mapping[str, str]
) -> Studies:
    """A study "s" of one seed and one task each: test accuracy, validation accuracy and compression ratio."""
    store = Store(engine)
    study_id = store.create_study("s", {"objectives": OBJECTIVES, "constraints": dict(constraints)}, 1)
    launch_id = store.record_launch(study_id, PROVENANCE)
    for number, (test, validation, ratio) in enumerate(trials):
        counts = WeightCounts(1000, int(1000 * ratio), 0, 0)
        suggested = dataclasses.replace(describe(PARAMS, 1), counts=counts)
        store.start_trial(study_id, number, suggested, launch_id=launch_id, attempt=1)
        run = dataclasses.replace(
            sample_result(PARAMS, 1, 0), test=((test,),), validation=((validation,),), untrained=(None,), counts=counts
        )
        store.complete_trial(study_id, number, 1, [run])
    return Studies(engine)


def study(command: str, engine: Engine, *arguments: str) -> Result:
    result = CliRunner().invoke(app, [command, *arguments, "--db", str(engine.url.database)])
    assert result.exit_code == 0, result.exception
    return result


@pytest.mark.parametrize(
    ("trials", "constraints", "best"),
    [
        (TRIALS, {}, 2),
        (TRIALS, {"compression_ratio": "<= 0.65"}, 1),
        ([(0.9, 0.7, 0.5), (0.8, 0.8, 0.6), (None, 0.99, 0.4)], {}, 1),
        ([(0.9, None, 0.5), (0.8, 0.8, 0.6), (None, 0.99, 0.4)], {}, 0),
        ([(0.9, 0.8, 0.6), (0.8, 0.8, 0.5)], {}, 1),
    ],
    ids=["plain", "constraint", "no test value", "no validation value", "smaller of equals"],
)
def test_commands_and_reports_choose_the_same_configurations(
    sqlite_engine: Engine,
    trials: Sequence[tuple[float | None, float | None, float]],
    constraints: Mapping[str, str],
    best: int,
) -> None:
    studies = fill(sqlite_engine, trials, constraints)
    data = read_study(studies, "s")
    recommended = recommend(data).best
    shown = json.loads(study("show", sqlite_engine, "s", "--format", "json").stdout)
    listed = json.loads(study("front", sqlite_engine, "s", "--format", "json").stdout)["rows"]
    assert find_configuration(studies, "s").number == best
    assert compared_methods(studies, ["s"])[0].trial.number == best
    assert recommended is not None
    assert recommended.number == best
    assert shown["best"]["final_accuracy"]["number"] == best
    assert {row["number"] for row in listed} == {trial.number for trial in data.front}
    assert shown["front_size"] == len(listed) > 0
    assert shown["why_no_front"] is None
    assert all(row["final_accuracy"]["mean"] is not None for row in listed)


@pytest.mark.parametrize(
    ("constraints", "why"),
    [
        (
            {"compression_ratio": "<= 0.0001"},
            "none of the 3 finished configurations meets the constraint compression_ratio <= 0.0001; "
            "the nearest is 0.5 (trial 0)",
        ),
        (
            {"compression_ratio": "<= 1", "final_accuracy": ">= 0.95"},
            "none of the 3 finished configurations meets the constraint final_accuracy >= 0.95; "
            "the nearest is 0.9 (trial 2)",
        ),
        (
            {"compression_ratio": "< 0.6", "final_accuracy": "> 0.8"},
            "none of the 3 finished configurations meets the constraints compression_ratio < 0.6 and "
            "final_accuracy > 0.8; the nearest is compression_ratio 0.6, final_accuracy 0.8 (trial 1)",
        ),
        (
            {"forgetting": "< 0.1"},
            "none of the 3 finished configurations meets the constraint forgetting < 0.1; not measured: forgetting",
        ),
    ],
)
def test_a_front_that_the_constraints_leave_empty_is_explained(
    sqlite_engine: Engine, constraints: Mapping[str, str], why: str
) -> None:
    studies = fill(sqlite_engine, TRIALS, constraints)
    shown = study("front", sqlite_engine, "s")
    assert shown.stdout == ""
    assert f"the front of s is empty: {why}." in shown.stderr
    assert json.loads(study("show", sqlite_engine, "s", "--format", "json").stdout)["why_no_front"] == why
    assert f"There is no answer: {why}." == recommend(read_study(studies, "s")).headline
    with pytest.raises(TrialNotFound, match="has no finished trial to compare: none of the 3"):
        find_configuration(studies, "s")


def test_a_front_without_any_value_is_explained(sqlite_engine: Engine) -> None:
    studies = fill(sqlite_engine, [(None, 0.9, 0.5)], {})
    assert studies.choice("s").why_none == (
        "no finished configuration has a value of every objective (final_accuracy, compression_ratio)"
    )
    assert "is empty" not in study("front", sqlite_engine, "s", "--where", "number > 5").stdout


def test_a_condition_that_leaves_no_member_of_the_front_is_no_empty_front(sqlite_engine: Engine) -> None:
    fill(sqlite_engine, TRIALS, {})
    shown = study("front", sqlite_engine, "s", "--where", "number > 5")
    assert "no rows" in shown.stderr
    assert "is empty" not in shown.stderr
