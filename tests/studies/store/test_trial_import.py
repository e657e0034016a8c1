"""Trials measured elsewhere are written on both databases whole or not at all."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from hnet_core.errors import ConfigInvalid
from studies.database.integrity import check_database
from studies.queries.studies import Studies
from studies.store import trial_import
from studies.store.imported_trials import ImportedRun, ImportedTrial, ImportedWeights
from studies.store.store import StudyExists
from studies.store.trial_import import import_trials

OBJECTIVES = {"final_accuracy": "maximize", "compression_ratio": "minimize"}


def some_trials(n: int) -> Iterator[ImportedTrial]:
    """Every third trial has gaps in its numbers, every fourth was pruned, every fifth failed."""
    for i in range(n):
        runs = [
            ImportedRun(seed, {("test", 1, 1): 0.1 * seed + 0.01 * i}, seconds=0.1 * i) for seed in range(1 + i % 2)
        ]
        one = ImportedTrial(7 * i, {"lr": 0.1 * i}, ImportedWeights(1000, 500), runs, n_tasks=1)
        if i % 5 == 4:
            one = ImportedTrial(7 * i, {}, None, (), state="FAILED", reason="no result")
        elif i % 4 == 3:
            one = ImportedTrial(7 * i, {"lr": 0.1 * i}, one.weights, runs, n_tasks=2, state="PRUNED", reason="pruned")
        yield one


@pytest.mark.parametrize("at_a_time", [1, 3, 1000])
def test_every_trial_is_written_as_it_is_in_batches_of_any_size(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, at_a_time: int
) -> None:
    monkeypatch.setattr(trial_import, "TRIALS_AT_A_TIME", at_a_time)
    seen: list[int] = []
    states = import_trials(engine, "s", some_trials(13), "elsewhere", OBJECTIVES, seen.append)
    assert states == {"COMPLETE": 8, "PRUNED": 3, "FAILED": 2}
    assert seen[-1] == sum(len(each.cells) for one in some_trials(13) for each in one.runs)
    found = Studies(engine)
    for one in some_trials(13):
        there = found.trial("s", one.number)
        assert (there["state"], there["reason"], there["params"]) == (one.state, one.reason, one.params)
        assert [(run["seed"], run["seconds"], run["n_tasks"]) for run in there["runs"]] == [
            (each.seed, each.seconds, one.n_tasks) for each in one.runs
        ]
    cells = found.evaluations("s")
    assert cells["value"].tolist() == [
        value for one in some_trials(13) for run in one.runs for value in run.cells.values()
    ]
    assert found.study("s").seeds == 2
    assert check_database(engine).problems == []


def test_an_error_between_two_batches_leaves_nothing(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial_import, "TRIALS_AT_A_TIME", 2)

    def broken() -> Iterator[ImportedTrial]:
        yield from some_trials(5)
        raise ConfigInvalid("line 6 cannot be.")

    with pytest.raises(ConfigInvalid, match="line 6"):
        import_trials(engine, "s", broken(), "elsewhere", OBJECTIVES)
    assert Studies(engine).names() == []
    import_trials(engine, "s", some_trials(5), "elsewhere", OBJECTIVES)
    with pytest.raises(StudyExists, match="a study 's' exists already"):
        import_trials(engine, "s", some_trials(5), "elsewhere", OBJECTIVES)


def test_a_setting_that_no_json_holds_is_refused_by_the_database_and_leaves_nothing(engine: Engine) -> None:
    one = ImportedTrial(0, {"lr": math.nan}, None, (), state="FAILED", reason="no result")
    with pytest.raises(ValueError, match="not JSON compliant"):
        import_trials(engine, "s", [one], "elsewhere", OBJECTIVES)
    assert Studies(engine).names() == []
