from __future__ import annotations

import json

import numpy as np
import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner

from hnet_core.errors import ConfigInvalid
from studies.comparing.comparability import differences
from studies.comparing.configurations import compare, find_configuration
from studies.errors import StudyNotFound, TrialNotFound
from studies.queries.studies import Studies
from sweeps.cli.study import app
from tests.studies.sample import sample_study


@pytest.fixture
def found(sqlite_engine: Engine) -> Studies:
    sample_study(sqlite_engine, 12, seeds=6)
    sample_study(sqlite_engine, 4, seeds=3, n_tasks=3, name="short")
    sample_study(sqlite_engine, 12, seeds=3, name="odd:1")
    return Studies(sqlite_engine)


def test_a_configuration_is_a_trial_or_the_best_one_by_validation(found: Studies) -> None:
    assert str(find_configuration(found, "sample-tradeoff:3")) == "sample-tradeoff:3"
    trials = found.trials("sample-tradeoff", where="duplicate_of is None", sort="-validation_final_accuracy")
    assert find_configuration(found, "sample-tradeoff").number == trials["number"][0]
    assert str(find_configuration(found, "odd:1:0")) == "odd:1:0"
    assert find_configuration(found, "odd:1").study == "odd:1"
    with pytest.raises(StudyNotFound):
        find_configuration(found, "nope:1")
    with pytest.raises(TrialNotFound, match="has no trial 99"):
        find_configuration(found, "short:99")


def test_pairs_are_judged_by_seed_as_one_family(found: Studies) -> None:
    configurations = [find_configuration(found, f"sample-tradeoff:{number}") for number in (0, 1, 2)]
    rows = compare(found, configurations, "final_accuracy")
    assert [(row["a"][-1], row["b"][-1]) for row in rows] == [("0", "1"), ("0", "2"), ("1", "2")]
    means = found.trials("sample-tradeoff")["final_accuracy"]
    for row in rows:
        a, b = (int(row[side].rsplit(":", 1)[1]) for side in ("a", "b"))
        assert row["design"] == "paired"
        assert row["mean_a"]["mean"] == pytest.approx(means[a])
        assert row["difference"]["mean"] == pytest.approx(means[a] - means[b])
        if row["verdict"] in ("A better", "B better"):
            assert (row["verdict"] == "A better") == (means[a] > means[b])
    assert max(row["confidence"] for row in rows) > 0.95, "three comparisons are judged more strictly than one"
    assert "method.beta_output" in rows[0]["differ"]


def test_lower_is_better_for_forgetting(found: Studies) -> None:
    table = found.trials("sample-tradeoff", where="n == 6 and duplicate_of is None", sort="forgetting")
    least, most = int(table["number"].iloc[0]), int(table["number"].iloc[-1])
    configurations = [find_configuration(found, f"sample-tradeoff:{number}") for number in (most, least)]
    assert compare(found, configurations, "forgetting")[0]["verdict"] == "B better"


def test_different_tasks_are_not_comparable(found: Studies) -> None:
    configurations = [find_configuration(found, "sample-tradeoff:0"), find_configuration(found, "short:0")]
    assert (
        compare(found, configurations, "final_accuracy")[0]["verdict"]
        == "not comparable: different streams: stream.n_tasks 5 and 3"
    )
    assert compare(found, configurations, "final_mse")[0]["verdict"].startswith(
        "not comparable: final_mse is not defined for accuracy, which both"
    )


@pytest.mark.parametrize("metric", ["compression_ratio", "accuracy"])
def test_a_metric_must_differ_between_seeds(found: Studies, metric: str) -> None:
    configurations = [find_configuration(found, "short:0"), find_configuration(found, "short:1")]
    with pytest.raises(ConfigInvalid, match="--metric must vary over seeds"):
        compare(found, configurations, metric)
    with pytest.raises(ConfigInvalid, match="at least two configurations, got 1"):
        compare(found, configurations[:1], "final_accuracy")


def test_differences_are_named_by_their_dotted_keys() -> None:
    a = {"seeds": 3, "trial": {"training": {"lr": 0.1, "batch_size": 32}, "target": {"hidden": [10]}}}
    b = {"seeds": 3, "trial": {"training": {"lr": 0.2, "batch_size": 32}, "target": {"hidden": [10, 10]}}, "new": None}
    assert differences(a, b) == [
        {"key": "trial.training.lr", "a": 0.1, "b": 0.2},
        {"key": "trial.target.hidden", "a": [10], "b": [10, 10]},
    ]


def test_a_narrow_table_keeps_the_difference_rather_than_one_of_the_two_means(
    sqlite_engine: Engine, found: Studies, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "84")
    result = CliRunner().invoke(app, ["compare", "short:0", "short:1", "--db", str(sqlite_engine.url.database)])
    head = result.stdout.splitlines()[2].split()
    assert head[:4] == ["a", "b", "verdict", "difference"]
    assert "mean_a" not in head


def test_compare_and_diff_on_the_command_line(found: Studies, sqlite_engine: Engine) -> None:
    db = ["--db", str(sqlite_engine.url.database)]
    result = CliRunner().invoke(app, ["compare", "sample-tradeoff:0", "sample-tradeoff:1", *db])
    assert result.exit_code == 0, result.exception
    assert "the smallest sign-flip p with 6 pairs is 0.0312" in result.stderr
    assert "differ in" in result.stderr
    [row] = json.loads(
        CliRunner().invoke(app, ["compare", "short:0", "short:1", "--margin", "1", "--format", "json", *db]).stdout
    )["rows"]
    assert row["verdict"] == "equivalent within margin"
    assert list(row["difference"]) == ["mean", "low", "high", "n"]
    assert np.isclose(row["p_smallest"], 0.25)
    result = CliRunner().invoke(app, ["diff", "sample-tradeoff", "short", "--format", "json", *db])
    keys = [row["key"] for row in json.loads(result.stdout)["rows"]]
    assert {"study", "seeds", "trial.stream.n_tasks", "budget.trials"} <= set(keys)
    assert "trial.stream.n_tasks" in CliRunner().invoke(app, ["diff", "sample-tradeoff", "short", *db]).stdout
