from __future__ import annotations

import json

import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner

from studies.metrics.definitions import VARYING
from studies.queries.studies import Studies
from studies.statistics.intervals import bounded, t_interval
from studies.store.store import Store
from sweeps.cli.study import app
from tests.studies.sample import PROVENANCE, describe, sample_result, sample_study
from tests.studies.store.test_store import PARAMS


@pytest.fixture
def found(engine: Engine) -> Studies:
    """Two studies that share a configuration (seeds 0, 1 and 1, 2), and one of another stream."""
    store = Store(engine)
    for name, seeds in (("first", (0, 1)), ("second", (1, 2))):
        study_id = store.create_study(name, {}, 2)
        launch_id = store.record_launch(study_id, PROVENANCE)
        store.start_trial(study_id, 0, describe(PARAMS, 4), launch_id=launch_id, attempt=1)
        store.complete_trial(study_id, 0, 1, [sample_result(PARAMS, 4, seed) for seed in seeds])
    sample_study(engine, 12, n_tasks=3, name="other")
    return Studies(engine)


def test_runs_of_one_configuration_count_together_and_a_seed_once(found: Studies) -> None:
    [row] = found.configurations(where="n_tasks == 4").to_dict("records")
    assert (row["n"], row["studies"], row["stream"], row["dataset"]) == (3, ["first", "second"], "permuted", "digits")
    runs = found.runs("first").to_dict("records") + found.runs("second", where="seed == 2").to_dict("records")
    for metric in VARYING:
        interval = bounded(metric, t_interval([run[metric] for run in runs]))
        expected = [interval.mean, interval.low, interval.high]
        assert [row[metric], row[f"{metric}.low"], row[f"{metric}.high"]] == pytest.approx(
            [float("nan") if x is None else x for x in expected], nan_ok=True
        )
    assert row["config"]["hypernet"]["chunk_size"] == PARAMS["hypernet.chunk_size"]


def test_every_trained_configuration_is_there_once(found: Studies) -> None:
    table = found.configurations()
    trained = found.trials("other", where="n > 0 and duplicate_of is None")
    assert sorted(table["config_hash"]) == sorted([*trained["config_hash"], found.trials("first")["config_hash"][0]])
    best = found.configurations(where="n_tasks == 3", sort="-final_accuracy", limit=2)
    assert best["final_accuracy"].tolist() == pytest.approx(sorted(trained["final_accuracy"], reverse=True)[:2])


def test_command_lists_configurations(found: Studies, engine: Engine) -> None:
    db = ["--db", engine.url.render_as_string(hide_password=False)]
    text = CliRunner().invoke(app, ["configurations", "--where", "method == 'hnet' and n == 3", *db]).stdout
    assert "first, second" in text
    content = json.loads(CliRunner().invoke(app, ["configurations", "--limit", "1", "--format", "json", *db]).stdout)
    assert list(content["rows"][0]["final_accuracy"]) == ["mean", "low", "high", "n"]


def test_empty_database_has_no_configurations(engine: Engine) -> None:
    assert Studies(engine).configurations().empty
