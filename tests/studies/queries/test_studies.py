"""What readers get, on SQLite and PostgreSQL."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from sqlalchemy import Engine, event, update

import studies
from hnet_core.errors import ConfigInvalid
from studies.database.schema import STATES, trial
from studies.errors import StudyNotFound, TrialNotFound
from studies.metrics.definitions import METRICS
from studies.metrics.values import run_metrics
from studies.queries.studies import Studies
from studies.statistics.intervals import bounded, t_interval
from studies.store.store import Store
from tests.studies.sample import PROVENANCE, describe, sample_result, sample_spec, sample_study
from tests.studies.store.test_store import PARAMS

AXES = ["method.beta_output", "hypernet.task_embedding", "hypernet.chunk_embedding", "hypernet.chunk_size"]


@pytest.fixture
def name(engine: Engine) -> str:
    return sample_study(engine, 12)


@pytest.fixture
def found(engine: Engine, name: str) -> Studies:
    return Studies(engine)


def test_list_of_studies_counts_their_trials(found: Studies, engine: Engine) -> None:
    Store(engine).create_study("empty", {}, seeds=1)
    table = found.studies()
    assert table["name"].tolist() == ["sample-tradeoff", "empty"]
    assert table.loc[0, ["trials", "running", "complete", "pruned", "skipped", "failed", "seeds"]].tolist() == [
        12, 0, 10, 0, 1, 1, 3,
    ]  # fmt: skip
    assert table["objectives"][0] == {"final_accuracy": "maximize", "compression_ratio": "minimize"}
    assert table["trials"][1] == 0


def test_study_record_holds_all_about_a_study(found: Studies, name: str) -> None:
    record = found.study(name)
    assert record.spec == sample_spec(name, 12, 3, 5)
    assert record.searched == AXES
    counts = found.trial_counts(name)
    assert counts.states == dict.fromkeys(STATES, 0) | {"COMPLETE": 10, "SKIPPED": 1, "FAILED": 1}
    assert (counts.duplicates, counts.total) == (1, 12)
    assert record.driver is None
    assert [launch["git_commit"] for launch in record.launches] == [PROVENANCE["git_commit"]]


def test_unknown_study_is_an_error_with_the_nearest_name(found: Studies) -> None:
    for ask in (found.study, found.runs, found.trials, found.front, found.ledger, found.evaluations):
        with pytest.raises(
            StudyNotFound, match=r"did you mean 'sample-tradeoff'\?.* List them: hnet study ls"
        ) as error:
            ask("sample-tradeof")
        assert error.value.exit_code == 3
        assert "***" not in str(error.value) or "@" in str(error.value)


def test_unknown_trial_is_an_error(found: Studies, name: str) -> None:
    with pytest.raises(TrialNotFound, match="has no trial 99; list them: hnet study trials"):
        found.matrices(name, 99)
    with pytest.raises(ValueError, match=r"one of test, validation, .*, got 'train'"):
        found.matrices(name, 0, split="train")


def test_runs_hold_the_metrics_of_each_stored_result(found: Studies, name: str) -> None:
    runs = found.runs(name)
    assert list(runs.columns[:9]) == ["number", "seed", "config_hash", "measure", "n_tasks", *AXES]
    assert list(runs.columns[9 : 9 + len(METRICS)]) == list(METRICS)
    assert len(runs) == 9 * 3
    assert runs[["number", "seed"]].apply(tuple, axis=1).is_monotonic_increasing
    for _, row in runs.iterrows():
        params = found.trial(name, int(row["number"]))["params"]
        for metric, value in run_metrics(sample_result(params, 5, int(row["seed"]))).items():
            assert math.isnan(row[metric]) if value is None else row[metric] == pytest.approx(value, abs=1e-12)


def test_trials_sum_up_the_seeds_of_each_configuration(found: Studies, name: str) -> None:
    trials, runs = found.trials(name), found.runs(name)
    assert trials["number"].tolist() == list(range(12))
    assert list(trials.columns[:14]) == [
        "number", "state", "reason", "duplicate_of", "attempt", "n", "method", "stream", "target", "hypernet", *AXES,
    ]  # fmt: skip
    for _, row in trials[trials["duplicate_of"].isna()].iterrows():
        seeds = runs[runs["number"] == row["number"]]
        assert row["n"] == len(seeds)
        for metric in (m for m, about in METRICS.items() if about.kind != "count"):
            interval = bounded(metric, t_interval(seeds[metric]))
            came = [row[metric], row[f"{metric}.low"], row[f"{metric}.high"]]
            expected = [interval.mean, interval.low, interval.high]
            assert came == pytest.approx([math.nan if x is None else x for x in expected], nan_ok=True, abs=1e-12)


def test_runs_find_their_cells_whatever_order_they_finished_in(
    engine: Engine, store: Store, study_id: int, launch_id: int
) -> None:
    for number in (0, 1):
        store.start_trial(study_id, number, describe(PARAMS, 3), launch_id=launch_id, attempt=1)
    expected = {}
    for number, seed in [(1, 5), (0, 1), (0, 0), (1, 2)]:
        result = sample_result(PARAMS, 3, 10 * number + seed)
        expected[number, result.seed] = run_metrics(result)["final_accuracy"]
        if seed in (5, 1):
            store.complete_trial(study_id, number, 1, [result])
        else:
            store.add_runs(study_id, number, [result])
    runs = Studies(engine).runs("s")
    found = {(n, s): accuracy for n, s, accuracy in runs[["number", "seed", "final_accuracy"]].itertuples(index=False)}
    assert list(found) == sorted(expected)
    assert found == pytest.approx(expected)


def test_trials_without_results_still_show_what_was_known_before(found: Studies, name: str) -> None:
    trials = found.trials(name).set_index("number")
    failed, skipped = trials.loc[4], trials.loc[7]
    assert (failed["state"], failed["n"]) == ("FAILED", 0)
    assert failed["reason"] == "TrainingDiverged: the loss became NaN"
    assert math.isnan(failed["final_accuracy"])
    assert failed["model_weights"] > 0
    assert skipped["reason"].startswith("infeasible: compression_ratio")
    assert skipped["compression_ratio"] > 1
    assert (skipped["method"], skipped["hypernet"]) == ("hnet", "chunked")


def test_duplicate_shows_the_numbers_of_its_original(found: Studies, name: str) -> None:
    trials = found.trials(name).set_index("number")
    assert trials.loc[10, "duplicate_of"] == 1
    same = ["n", *AXES, *METRICS, "final_accuracy.low", "config_hash"]
    pd.testing.assert_series_equal(trials.loc[10, same], trials.loc[1, same], check_names=False)
    assert found.seeds(name, 10) == found.seeds(name, 1) == [0, 1, 2]
    np.testing.assert_array_equal(found.matrices(name, 10), found.matrices(name, 1))


def test_trials_are_filtered_sorted_and_cut(found: Studies, name: str) -> None:
    best = found.trials(name, where="n == 3 and duplicate_of is None", sort="-final_accuracy", limit=3)
    assert len(best) == 3
    assert best["final_accuracy"].is_monotonic_decreasing
    assert best["final_accuracy"][0] == found.trials(name)["final_accuracy"].max()
    assert found.trials(name, sort="final_accuracy")["state"].tolist()[-2:] == ["FAILED", "SKIPPED"], (
        "missing comes last"
    )
    with pytest.raises(ConfigInvalid, match="--sort names an unknown column 'final'"):
        found.trials(name, sort="-final")
    with pytest.raises(ConfigInvalid, match="--sort names an unknown column"):
        found.trials(name, sort="params")
    with pytest.raises(ConfigInvalid, match="--limit must be at least 1, got 0"):
        found.trials(name, limit=0)


def test_only_the_columns_asked_for_are_read(found: Studies, name: str) -> None:
    whole = found.trials(name)
    for columns in (
        ["final_accuracy", "number"],
        ["method.beta_output", "compression_ratio", "forgetting.low"],
        ["params", "n", "created_at"],
    ):
        pd.testing.assert_frame_equal(found.trials(name, columns=columns), whole[columns])
    filtered = found.trials(name, where="hypernet.chunk_size > 500", sort="-n", columns=["number"])
    expected = whole[whole["hypernet.chunk_size"] > 500].sort_values(["n", "number"], ascending=[False, True])
    assert filtered["number"].tolist() == expected["number"].tolist()
    with pytest.raises(ConfigInvalid, match="columns names an unknown column 'final'"):
        found.trials(name, columns=["final"])


def test_front_holds_the_trials_no_other_one_beats(found: Studies, name: str) -> None:
    trials, front = found.trials(name), found.front(name)
    candidates = trials[(trials["state"] == "COMPLETE") & trials["duplicate_of"].isna()]
    points = candidates[["number", "validation_final_accuracy", "compression_ratio"]].to_numpy()
    undominated = {
        n for n, acc, ratio in points
        if not any(a >= acc and r <= ratio and (a > acc or r < ratio) for _, a, r in points)
    }  # fmt: skip
    assert set(front["number"]) == undominated
    assert 2 <= len(front) < len(candidates)
    assert front["compression_ratio"].is_monotonic_increasing
    assert list(front.columns) == list(trials.columns)


def _finish(store: Store, study_id: int, launch_id: int, number: int, final: float, validation: Any, size: int) -> None:
    """A finished trial of one task whose accuracies and chunk size are given."""
    import dataclasses

    params = PARAMS | {"hypernet.chunk_size": size}
    store.start_trial(study_id, number, describe(params, 1), launch_id=launch_id, attempt=1)
    split = None if validation is None else ((validation,),)
    store.complete_trial(
        study_id, number, 1, [dataclasses.replace(sample_result(params, 1, 0), test=((final,),), validation=split)]
    )


def _trade_off(engine: Engine, validation: list[float | None], constraints: dict[str, str]) -> list[int]:
    store = Store(engine)
    spec = sample_spec("t", 3, 1, 1) | {"constraints": constraints}
    study_id = store.create_study("t", spec, 1)
    launch_id = store.record_launch(study_id, {})
    for number, (final, size) in enumerate([(0.9, 300), (0.8, 500), (0.95, 800)]):
        _finish(store, study_id, launch_id, number, final, validation[number], size)
    return [int(number) for number in Studies(engine).front("t")["number"]]


def test_front_is_chosen_on_the_validation_split(engine: Engine) -> None:
    assert _trade_off(engine, [0.5, 0.6, 0.55], {}) == [0, 1]


def test_front_is_chosen_on_the_test_split_where_validation_is_incomplete(engine: Engine) -> None:
    assert _trade_off(engine, [0.6, None, 0.55], {}) == [0, 2]


def test_front_leaves_out_what_breaks_a_constraint(engine: Engine) -> None:
    assert _trade_off(engine, [0.9, 0.8, 0.95], {"final_accuracy": "> 0.92"}) == [2]


def test_matrices_start_with_the_untrained_model(found: Studies, name: str) -> None:
    params = found.trial(name, 2)["params"]
    test, validation = found.matrices(name, 2), found.matrices(name, 2, split="validation")
    assert test.shape == validation.shape == (3, 6, 5)
    for seed in range(3):
        result = sample_result(params, 5, seed)
        np.testing.assert_array_equal(test[seed, 0], result.untrained)
        np.testing.assert_array_equal(test[seed, 1:], np.array(result.test, dtype=float))
        np.testing.assert_array_equal(validation[seed, 1:], np.array(result.validation, dtype=float))
    assert np.isnan(validation[:, 0]).all()
    assert found.matrices(name, 4).shape == (0, 1, 0)


def test_matrices_of_several_trials_are_those_of_each(found: Studies, name: str) -> None:
    several = found.matrices_of(name, [10, 2, 4, 1])
    assert sorted(several) == [1, 2, 4, 10]
    for number, matrices in several.items():
        np.testing.assert_array_equal(matrices, found.matrices(name, number))
    assert found.matrices_of(name, []) == {}


def test_a_trial_has_its_launch_runs_and_traceback(found: Studies, name: str) -> None:
    failed = found.trial(name, 4)
    assert failed["traceback"] == "Traceback ...\nline two\n"
    assert failed["runs"] == []
    assert failed["launch"]["spec_text"] == PROVENANCE["spec_text"]
    trained = found.trial(name, 0)
    assert [run["seed"] for run in trained["runs"]] == [0, 1, 2]
    assert sum(trained["runs"][0]["task_seconds"]) == pytest.approx(trained["runs"][0]["seconds"])
    assert trained["config"]["hypernet"]["chunk_size"] == trained["params"]["hypernet.chunk_size"]


def test_ledger_holds_what_a_driver_reconciles_with(
    engine: Engine, store: Store, study_id: int, launch_id: int
) -> None:
    store.start_trial(study_id, 0, describe(PARAMS, 3), launch_id=launch_id, attempt=1)
    store.start_trial(study_id, 1, describe(PARAMS, 3), launch_id=launch_id, attempt=1)
    store.complete_trial(study_id, 1, 1, [sample_result(PARAMS, 3, seed) for seed in (0, 1)])
    ledger = Studies(engine).ledger("s")
    assert [(row["number"], row["state"], row["attempt"], row["seeds"]) for row in ledger] == [
        (0, "RUNNING", 1, []),
        (1, "COMPLETE", 1, [0, 1]),
    ]
    assert ledger[0]["params"] == PARAMS


def test_evaluations_are_the_raw_measurements(found: Studies, name: str) -> None:
    cells = found.evaluations(name)
    assert list(cells.columns) == ["number", "seed", "split", "after_task", "on_task", "value"]
    assert len(cells) == 9 * 3 * (5 + 15 + 15)


@pytest.mark.parametrize("started", [False, True])
def test_study_without_results_gives_empty_tables(
    engine: Engine, store: Store, study_id: int, launch_id: int, started: bool
) -> None:
    store.update_study(study_id, spec=sample_spec("s", 2, 2, 3), seeds=2)
    if started:
        store.start_trial(study_id, 0, describe(PARAMS, 3), launch_id=launch_id, attempt=1)
    found = Studies(engine)
    assert len(found.trials("s", where="final_accuracy > 0.5", sort="-final_accuracy")) == 0
    assert len(found.trials("s")) == int(started)
    assert set(AXES) < set(found.runs("s").columns)
    assert (len(found.runs("s")), len(found.front("s")), len(found.evaluations("s"))) == (0, 0, 0)


def test_trials_with_different_streams_and_parameters_share_one_table(
    engine: Engine, store: Store, study_id: int, launch_id: int
) -> None:
    for number, n_tasks in enumerate([4, 1, 2]):
        params = PARAMS | {"stream.n_tasks": n_tasks} if number else PARAMS
        store.start_trial(study_id, number, describe(params, n_tasks), launch_id=launch_id, attempt=1)
        store.complete_trial(study_id, number, 1, [sample_result(params, n_tasks, 0)])
    trials = Studies(engine).trials("s")
    assert trials["stream.n_tasks"].tolist() == pytest.approx([math.nan, 1, 2], nan_ok=True)
    assert trials["final_accuracy"].notna().all()
    assert trials["forgetting"].isna().tolist() == [False, True, False]
    assert trials["final_accuracy.low"].isna().all(), "no interval from one seed"


def test_package_opens_a_database_by_its_url(engine: Engine, name: str) -> None:
    url = engine.url.render_as_string(hide_password=False)
    assert studies.open(url).studies()["name"].tolist() == [name]


def test_the_number_of_queries_does_not_grow_with_the_number_of_runs(sqlite_engine: Engine) -> None:
    asked: list[str] = []
    event.listen(sqlite_engine, "before_cursor_execute", lambda *arguments: asked.append(arguments[2]))
    counts = []
    for n_trials in (6, 60):
        name = sample_study(sqlite_engine, n_trials, name=f"sample-{n_trials}")
        asked.clear()
        assert len(Studies(sqlite_engine).trials(name)) == n_trials
        counts.append(len(asked))
    assert counts[0] == counts[1]


def test_reading_changes_nothing(tmp_path: Path, sqlite_engine: Engine) -> None:
    name = sample_study(sqlite_engine, 12)
    sqlite_engine.dispose()
    path = tmp_path / "study.db"
    before = path.read_bytes()
    found = studies.open(str(path))
    for ask in (found.study, found.runs, found.trials, found.front, found.ledger):
        ask(name)
    found.sql("SELECT * FROM run_metrics")
    assert path.read_bytes() == before


def test_numbers_of_trials_are_no_parameters_of_a_statement_of_which_there_may_be_too_many(
    found: Studies, name: str, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    used: list[int] = []
    event.listen(engine, "before_cursor_execute", lambda *arguments: used.append(len(arguments[3])))
    assert set(found.matrices_of(name, range(12))) == set(range(12))
    assert max(used) < 10
    used.clear()
    few = len(found.front(name))
    of_few = used.copy()
    used.clear()
    monkeypatch.setattr(
        "studies.statistics.selection.front_mask", lambda values, _: values("compression_ratio") > 0
    )  # all are tied
    assert len(found.front(name)) > few
    assert used == of_few, "as many parameters whatever the size of the front"


def test_measured_numbers_are_shown_whatever_settings_are_called(engine: Engine) -> None:
    name = sample_study(engine, 3)
    found = Studies(engine)
    before = found.trials(name), found.runs(name)
    with engine.begin() as connection:
        settings = dict.fromkeys(["final_accuracy", "forgetting.low", "n", "state", "device", "method"], 99)
        connection.execute(update(trial).values(params=settings))
    for table, columns in ((found.trials(name), before[0]), (found.runs(name), before[1])):
        kept = [column for column in columns if column not in ("params", *found.study(name).searched)]
        assert_frame_equal(table[kept], columns[kept])
        assert table["params.final_accuracy"].tolist() == [99] * len(table)
    rows = list(found.trial_rows(name).dicts())
    assert [row["final_accuracy"] for row in rows] == before[0]["final_accuracy"].tolist()
    assert len(found.trials(name, where="params.n == 99 and n == 3")) == 3


def test_results_are_the_evaluations_with_weights_costs_and_settings(found: Studies, name: str) -> None:
    results, cells = found.results(name), found.evaluations(name)
    assert_frame_equal(results[list(cells.columns)], cells)
    runs = found.runs(name).set_index(["number", "seed"])
    for (number, seed), rows in results.groupby(["number", "seed"]):
        for column in ("measure", "n_tasks", "target_weights", "model_weights", "hypernet_weights", "seconds", *AXES):
            assert set(rows[column]) == {runs[column][number, seed]}
    assert set(results["stream.dataset"]) == {"digits"}
    assert "training.device" not in results.columns, "it changes no result"
    first = found.results(name, where="number == 0 and seed == 1 and split == 'test'", sort="-after_task", limit=5)
    assert first["after_task"].tolist() == [5] * 5
