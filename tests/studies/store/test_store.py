"""The guarantees of the only writer, on SQLite and PostgreSQL."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from sqlalchemy import Engine, delete, func, select

from hnet_core.errors import ConfigInvalid, TrainingDiverged
from hnet_core.trial import TrialResult
from studies.database.schema import evaluation, metadata, run, study, task_time, trial
from studies.errors import TrialNotFound
from studies.queries.studies import Studies
from studies.store.store import Store, StudyExists, TrialFinished
from tests.studies.sample import PROVENANCE, describe, sample_result, sample_study

PARAMS = {
    "method.beta_output": 0.01,
    "hypernet.task_embedding": 8,
    "hypernet.chunk_embedding": 8,
    "hypernet.chunk_size": 200,
}


def results(*seeds: int, n_tasks: int = 3) -> list[TrialResult]:
    return [sample_result(PARAMS, n_tasks, seed) for seed in seeds]


@pytest.fixture
def running(store: Store, study_id: int, launch_id: int) -> int:
    """Number of a trial in its first attempt."""
    store.start_trial(study_id, 0, describe(PARAMS, 3), launch_id=launch_id, attempt=1)
    return 0


def row_of(engine: Engine, number: int) -> dict[str, Any]:
    with engine.connect() as connection:
        return dict(connection.execute(select(trial).where(trial.c.number == number)).mappings().one())


def count_of(engine: Engine, table: Any) -> int:
    with engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(table)) or 0


def test_study_is_found_by_name_with_its_spec(store: Store) -> None:
    study_id = store.create_study("digits", {"z": 1, "a": {"b": None}}, seeds=3)
    found = store.find_study("digits")
    assert found is not None
    assert (found["id"], found["spec"], found["seeds"]) == (study_id, {"z": 1, "a": {"b": None}}, 3)
    assert list(found["spec"]) == ["z", "a"], "the order the author chose is kept"
    assert len(found["uuid"]) == 36
    assert found["created_at"].tzinfo is not None
    assert store.find_study("other") is None


def test_study_name_is_taken_once(store: Store, study_id: int) -> None:
    with pytest.raises(StudyExists, match="'s' exists already"):
        store.create_study("s", {}, seeds=1)


@pytest.mark.parametrize("name", ["", "  ", "x" * 201])
def test_study_name_must_have_a_sensible_length(store: Store, name: str) -> None:
    with pytest.raises(ConfigInvalid, match="1 to 200 characters"):
        store.create_study(name, {}, seeds=1)


def test_a_continued_study_gets_its_new_spec_and_seeds(store: Store, study_id: int) -> None:
    store.update_study(study_id, spec={"budget": 9}, seeds=5)
    found = store.find_study("s")
    assert found is not None
    assert (found["spec"], found["seeds"]) == ({"budget": 9}, 5)


def test_launch_keeps_provenance_and_refuses_unknown_keys(store: Store, engine: Engine, study_id: int) -> None:
    store.record_launch(study_id, PROVENANCE)
    launches = Studies(engine).study("s").launches
    assert {key: launches[0][key] for key in PROVENANCE} == PROVENANCE
    with pytest.raises(ValueError, match="colour"):
        store.record_launch(study_id, {"colour": "red"})


def test_started_trial_is_running_with_all_that_describes_it(store: Store, engine: Engine, running: int) -> None:
    row = row_of(engine, running)
    what = describe(PARAMS, 3)
    assert (row["state"], row["attempt"], row["finished_at"]) == ("RUNNING", 1, None)
    assert (row["config"], row["params"], row["config_hash"]) == (what.config, PARAMS, what.config_hash)
    counts = what.counts
    assert counts is not None
    stored = (row["target_weights"], row["model_weights"], row["hypernet_weights"], row["weights_per_task"])
    assert stored == (counts.target, counts.model, counts.hypernet, counts.per_task)


def test_lost_trial_is_started_again_under_its_number(
    store: Store, engine: Engine, study_id: int, launch_id: int, running: int
) -> None:
    second = store.record_launch(study_id, {})
    store.start_trial(study_id, running, describe(PARAMS, 3), launch_id=second, attempt=2)
    row = row_of(engine, running)
    assert (row["attempt"], row["launch_id"], row["state"]) == (2, second, "RUNNING")
    assert count_of(engine, trial) == 1


def test_complete_trial_stores_every_cell_once(store: Store, engine: Engine, study_id: int, running: int) -> None:
    store.complete_trial(study_id, running, 1, results(0, 1))
    row = row_of(engine, running)
    assert row["state"] == "COMPLETE"
    assert row["finished_at"] >= row["created_at"]
    assert count_of(engine, run) == 2
    # per seed: 3 untrained, 1 + 2 + 3 on the test split, 1 + 2 + 3 on the validation split
    assert count_of(engine, evaluation) == 2 * (3 + 6 + 6)
    assert count_of(engine, task_time) == 2 * 3
    with engine.connect() as connection:
        value = connection.scalar(
            select(evaluation.c.value)
            .join(run, run.c.id == evaluation.c.run_id)
            .where(
                run.c.seed == 1, evaluation.c.split == "test", evaluation.c.after_task == 3, evaluation.c.on_task == 2
            )
        )
    assert value == results(1)[0].test[2][1], "bit-identical"


def test_finished_trial_is_never_written_again(store: Store, engine: Engine, study_id: int, launch_id: int) -> None:
    what = describe(PARAMS, 3)
    store.skip_trial(study_id, 0, what, launch_id=launch_id, reason="infeasible")
    for number in (1, 2, 3):
        store.start_trial(study_id, number, what, launch_id=launch_id, attempt=1)
    store.complete_trial(study_id, 1, 1, results(0))
    store.fail_trial(study_id, 2, 1, "no memory", "Traceback")
    store.prune_trial(study_id, 3, 1, "dominated after task 2")
    before = [row_of(engine, number) for number in range(4)]
    for number in range(4):
        with pytest.raises(TrialFinished):
            store.start_trial(study_id, number, what, launch_id=launch_id, attempt=2)
        with pytest.raises(TrialFinished):
            store.complete_trial(study_id, number, 1, results(7))
        with pytest.raises(TrialFinished):
            store.fail_trial(study_id, number, 1, "again", None)
        with pytest.raises(TrialFinished):
            store.skip_trial(study_id, number, what, launch_id=launch_id, reason="again")
    assert [row_of(engine, number) for number in range(4)] == before
    assert [row["state"] for row in before] == ["SKIPPED", "COMPLETE", "FAILED", "PRUNED"]
    assert (before[2]["reason"], before[2]["traceback"]) == ("no memory", "Traceback")
    assert count_of(engine, run) == 1


def test_superseded_attempt_cannot_finish_the_trial(
    store: Store, engine: Engine, study_id: int, launch_id: int, running: int
) -> None:
    store.start_trial(study_id, running, describe(PARAMS, 3), launch_id=launch_id, attempt=2)
    with pytest.raises(TrialFinished, match="runs as attempt 2, got attempt 1"):
        store.complete_trial(study_id, running, 1, results(0))
    with pytest.raises(TrialFinished):
        store.fail_trial(study_id, running, 1, "late", None)
    with pytest.raises(TrialFinished):
        store.start_trial(study_id, running, describe(PARAMS, 3), launch_id=launch_id, attempt=2)
    assert count_of(engine, run) == 0
    store.complete_trial(study_id, running, 2, results(0))
    assert row_of(engine, running)["state"] == "COMPLETE"


def test_write_to_a_missing_trial_says_so(store: Store, study_id: int) -> None:
    with pytest.raises(TrialNotFound, match="no trial 9"):
        store.complete_trial(study_id, 9, 1, results(0))
    with pytest.raises(TrialNotFound, match="no trial 9"):
        store.add_runs(study_id, 9, results(0))


def _broken(**changes: Any) -> TrialResult:
    return dataclasses.replace(results(1)[0], **changes)


@pytest.mark.parametrize(
    ("second", "error"),
    [
        (_broken(untrained=(0.1, float("nan"), 0.1)), TrainingDiverged),
        (_broken(config_hash="f" * 16), ValueError),
        (_broken(measure="mse"), ValueError),
        (_broken(counts=dataclasses.replace(results(1)[0].counts, model=1)), ValueError),
        (_broken(seed=0), ValueError),
    ],
    ids=["nan", "other configuration", "other measure", "other counts", "seed twice"],
)
def test_trial_completes_whole_or_not_at_all(
    store: Store, engine: Engine, study_id: int, running: int, second: TrialResult, error: type[Exception]
) -> None:
    with pytest.raises(error):
        store.complete_trial(study_id, running, 1, [*results(0), second])
    assert row_of(engine, running)["state"] == "RUNNING"
    assert [count_of(engine, table) for table in (run, evaluation, task_time)] == [0, 0, 0]


def test_trial_without_results_does_not_complete(store: Store, study_id: int, running: int) -> None:
    with pytest.raises(ValueError, match="at least one result"):
        store.complete_trial(study_id, running, 1, [])


def test_further_seeds_join_a_complete_trial_once(store: Store, engine: Engine, study_id: int, running: int) -> None:
    with pytest.raises(TrialFinished, match="must be COMPLETE"):
        store.add_runs(study_id, running, results(0))
    store.complete_trial(study_id, running, 1, results(0, 1))
    store.add_runs(study_id, running, results(2))
    with pytest.raises(ValueError, match="seed 1, which is there already"):
        store.add_runs(study_id, running, results(3, 1))
    assert Studies(engine).seeds("s", running) == [0, 1, 2]


def test_duplicate_completes_only_behind_a_trained_original(
    store: Store, engine: Engine, study_id: int, launch_id: int, running: int
) -> None:
    what = describe(PARAMS, 3)
    store.start_trial(study_id, 1, what, launch_id=launch_id, attempt=1, duplicate_of=0)
    with pytest.raises(ValueError, match="must duplicate a COMPLETE trial"):
        store.complete_duplicate(study_id, 1, 1)
    with pytest.raises(ValueError, match="must duplicate a COMPLETE trial"):
        store.complete_duplicate(study_id, 0, 1)  # no duplicate at all
    store.complete_trial(study_id, 0, 1, results(0))
    store.complete_duplicate(study_id, 1, 1)
    assert row_of(engine, 1)["state"] == "COMPLETE"
    with pytest.raises(TrialFinished, match="a duplicate of 0"):
        store.add_runs(study_id, 1, results(5))
    store.start_trial(study_id, 2, what, launch_id=launch_id, attempt=1, duplicate_of=1)
    with pytest.raises(ValueError, match="must duplicate a COMPLETE trial"):
        store.complete_duplicate(study_id, 2, 1)


def test_everything_of_a_study_goes_with_it(engine: Engine) -> None:
    sample_study(engine, 12)
    sample_study(engine, 3, name="other")
    with engine.begin() as connection:
        connection.execute(delete(study).where(study.c.name == "sample-tradeoff"))
    assert count_of(engine, study) == 1
    assert count_of(engine, trial) == 3
    assert count_of(engine, run) == 9
    assert {table.name for table in metadata.sorted_tables if count_of(engine, table) == 0} == {
        "benchmark",
        "study_tag",
    }
