"""`hnet study compare` and `hnet report compare` give the same verdicts and the same reasons for refusing one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine

from hnet_core.errors import ConfigInvalid
from reports.analysis import comparison as reported
from reports.data.compared_methods import compared_methods
from studies.comparing.configurations import compare, find_configuration
from studies.database.open_database import connect
from studies.metrics.definitions import METRICS, VARYING
from studies.queries.studies import Studies
from studies.store.store import Store
from studies.store.suggested_trial import SuggestedTrial
from tests.studies.sample import PROVENANCE, sample_config, sample_counts, sample_result, sample_spec

PARAMS = {
    "method.beta_output": 0.3,
    "hypernet.task_embedding": 12,
    "hypernet.chunk_embedding": 8,
    "hypernet.chunk_size": 500,
}
# How each study departs from the first one.
STUDIES: Mapping[str, Mapping[str, Any]] = {
    "first": {},
    "weak": {"params": {"method.beta_output": 0.0005}},
    "other-seeds": {"seeds": range(20, 26)},
    "lr": {"training": {"lr": 0.01}},
    "longer": {"training": {"iterations": 5000}},
    "larger-batches": {"training": {"batch_size": 128}},
    "epochs": {"training": {"iterations": None, "epochs": 5}},
    "more-tasks": {"n_tasks": 6},
    "other-dataset": {"stream": {"dataset": "mnist"}},
    "class-scenario": {"scenario": "class"},
    "other-data": {"run": {"data_checksum": "f" * 16}},
    "other-device": {"run": {"device": "NVIDIA H100"}},
    "two-threads": {"run": {"threads": 2}},
    "other-host": {"host": "another-host"},
    "mse": {"measure": "mse"},
    "one-seed": {"seeds": range(1)},
    "named:1": {},
    "measured-elsewhere": {"imported": True},
    "elsewhere-again": {"imported": True},
    "elsewhere-more-tasks": {"imported": True, "n_tasks": 6},
}
REFUSALS_OF_IMPORTS = {
    ("elsewhere-more-tasks", "final_accuracy"): "different numbers of tasks: 4 and 6",
    ("elsewhere-more-tasks", "seconds"): "different numbers of tasks: 4 and 6",
    ("elsewhere-again", "seconds"): "machines not known",
    ("elsewhere-again", "peak_memory_mib"): "machines not known",
}
REFUSALS = {
    ("longer", "final_accuracy"): "different budgets: training.iterations 300 and 5000",
    ("epochs", "final_accuracy"): "different budgets: training.iterations 300 and none",
    ("larger-batches", "final_accuracy"): "different budgets: training.batch_size 32 and 128",
    ("more-tasks", "final_accuracy"): "different streams: stream.n_tasks 4 and 6",
    ("other-dataset", "final_accuracy"): "different streams: stream.dataset digits and mnist",
    ("class-scenario", "final_accuracy"): "different scenarios: task and class",
    ("other-data", "final_accuracy"): "different data: the checksums of the images differ",
    ("mse", "final_accuracy"): "different measures: accuracy and mse",
    ("weak", "final_mse"): "final_mse is not defined for accuracy, which both measured",
    (
        "other-device",
        "seconds",
    ): "different machines: sample-host, cpu, 1 thread and sample-host, NVIDIA H100, 1 thread",
    ("two-threads", "seconds"): "different machines: sample-host, cpu, 1 thread and sample-host, cpu, 2 threads",
    ("other-host", "peak_memory_mib"): "different machines: sample-host, cpu, 1 thread and another-host, cpu, 1 thread",
    ("one-seed", "final_accuracy"): "at least 2 seeds of each are needed, got 6 and 1",
}


@pytest.fixture(scope="module")
def studies(tmp_path_factory: pytest.TempPathFactory) -> Studies:
    engine = connect(str(tmp_path_factory.mktemp("comparability") / "hnet.db"), create=True)
    for name, departure in STUDIES.items():
        fill(engine, name, **departure)
    return Studies(engine)


def fill(
    engine: Engine,
    name: str,
    *,
    params: Mapping[str, Any] = {},
    seeds: range = range(6),
    n_tasks: int = 4,
    stream: Mapping[str, Any] = {},
    training: Mapping[str, Any] = {},
    scenario: str = "task",
    measure: str = "accuracy",
    run: Mapping[str, Any] = {},
    host: str | None = "sample-host",
    imported: bool = False,
) -> None:
    """Make a study with one finished trial; an imported one says nothing of its stream and its machine."""
    searched = {**PARAMS, **params}
    config = sample_config(searched, n_tasks)
    config["stream"] |= stream
    config["training"] |= training
    config["scenario"] = scenario
    if imported:
        config, host, run = (
            {"stream": {"name": "imported"}, "method": {"name": "imported"}},
            None,
            {"device": "imported"},
        )
    digest = hashlib.sha256(json.dumps(config, sort_keys=True).encode()).hexdigest()[:16]
    store = Store(engine)
    study_id = store.create_study(name, objectives(sample_spec(name, 1, len(seeds), n_tasks), measure), len(seeds))
    launch_id = store.record_launch(study_id, {**PROVENANCE, "host": host})
    suggested = SuggestedTrial(config, digest, searched, measure, sample_counts(searched, n_tasks))
    store.start_trial(study_id, 0, suggested, launch_id=launch_id, attempt=1)
    runs = [replace(sample_result(searched, n_tasks, seed, measure), config_hash=digest, **run) for seed in seeds]
    store.complete_trial(study_id, 0, 1, runs)


def objectives(spec: dict[str, Any], measure: str) -> dict[str, Any]:
    directions = {"accuracy": {"final_accuracy": "maximize"}, "mse": {"final_mse": "minimize"}}[measure]
    return {**spec, "objectives": {**directions, "compression_ratio": "minimize"}}


@pytest.mark.slow
@pytest.mark.parametrize("metric", ["final_accuracy", "forgetting", "final_mse", "seconds", "peak_memory_mib"])
def test_both_commands_give_the_same_verdict_on_every_pair(studies: Studies, metric: str) -> None:
    rows = compare(studies, [find_configuration(studies, name) for name in STUDIES], metric)
    pairs = reported.compare(compared_methods(studies, list(STUDIES)), metric).pairs
    found = {(f"{pair.a.study}:0", f"{pair.b.study}:0"): pair.verdict for pair in pairs}
    assert len(rows) == len(found) == len(STUDIES) * (len(STUDIES) - 1) // 2
    for row in rows:
        verdict = found[row["a"], row["b"]]
        content = verdict.to_dict()
        shared = content.keys() & row.keys() - {"a", "b"}
        assert {"difference", "confidence", "p_holm", "left_out"} <= shared
        assert row["verdict"] == str(verdict), row
        assert (row["mean_a"], row["mean_b"]) == (content["a"], content["b"])
        assert {name: row[name] for name in shared} == {name: content[name] for name in shared}


@pytest.mark.parametrize(("other", "metric"), [("lr", "final_accuracy"), ("weak", "forgetting"), ("lr", "seconds")])
def test_both_commands_judge_a_pair_alone_alike(studies: Studies, other: str, metric: str) -> None:
    names = ["first", other]
    (row,) = compare(studies, [find_configuration(studies, name) for name in names], metric)
    (pair,) = reported.compare(compared_methods(studies, names), metric).pairs
    assert (row["verdict"], row["confidence"], row["p_holm"]) == (str(pair.verdict), 0.95, pair.verdict.p_holm)


@pytest.mark.parametrize(("other", "metric"), REFUSALS)
def test_a_pair_that_is_not_comparable_is_refused_with_the_reason(studies: Studies, other: str, metric: str) -> None:
    pair = [find_configuration(studies, name) for name in ("first", other)]
    assert compare(studies, pair, metric)[0]["verdict"] == f"not comparable: {REFUSALS[other, metric]}"


@pytest.mark.parametrize(("other", "metric"), REFUSALS_OF_IMPORTS)
def test_imported_results_are_compared_by_what_their_runs_say(studies: Studies, other: str, metric: str) -> None:
    names = ["measured-elsewhere", other]
    (row,) = compare(studies, [find_configuration(studies, name) for name in names], metric)
    (pair,) = reported.compare(compared_methods(studies, names), metric).pairs
    assert row["verdict"] == str(pair.verdict) == f"not comparable: {REFUSALS_OF_IMPORTS[other, metric]}"


def test_groups_of_a_report_hold_one_number_of_tasks(studies: Studies) -> None:
    """By method, imports of four and of six tasks would be one method, represented by the better of them."""
    names = ["measured-elsewhere", "elsewhere-more-tasks"]
    streams = {one.study: one.stream for one in compared_methods(studies, names, by=["method"])}
    assert streams == {"measured-elsewhere": "imported, 4 tasks", "elsewhere-more-tasks": "imported, 6 tasks"}


@pytest.mark.parametrize("other", ["weak", "other-seeds", "lr", "other-device", "two-threads", "other-host"])
def test_settings_of_a_method_and_the_machine_do_not_hinder_a_comparison_of_accuracy(
    studies: Studies, other: str
) -> None:
    pair = [find_configuration(studies, name) for name in ("first", other)]
    assert not compare(studies, pair, "final_accuracy")[0]["verdict"].startswith("not comparable: different")


@pytest.mark.slow
@pytest.mark.parametrize("metric", [*sorted(set(METRICS) - set(VARYING)), "accuracy"])
def test_both_commands_refuse_a_metric_that_does_not_vary_over_seeds(studies: Studies, metric: str) -> None:
    names = ["first", "weak"]
    messages = []
    for judge in (
        lambda: compare(studies, [find_configuration(studies, name) for name in names], metric),
        lambda: reported.compare(compared_methods(studies, names), metric),
    ):
        with pytest.raises(ConfigInvalid, match="--metric must vary over seeds, got") as error:
            judge()
        messages.append(str(error.value))
    assert messages[0] == messages[1]


def test_a_study_whose_name_ends_in_a_number_can_be_named_in_both(studies: Studies) -> None:
    for name, (study, number) in {
        "first:0": ("first", 0),
        "named:1": ("named:1", 0),
        "named:1:0": ("named:1", 0),
    }.items():
        found = find_configuration(studies, name)
        assert (found.study, found.number) == (study, number)
        (entrant,) = compared_methods(studies, [name])
        assert (entrant.study, entrant.trial.number) == (study, number)
