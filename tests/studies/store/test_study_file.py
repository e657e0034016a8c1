"""A study goes into one file and comes back with its configurations, matrices and provenance."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Engine

from hnet_core.errors import ConfigInvalid
from studies.database.integrity import check_database
from studies.database.open_database import connect
from studies.queries.studies import Studies
from studies.spec.deviations import deviations
from studies.store.store import StudyExists
from studies.store.study_file import import_study_file, read_study_file
from tests.studies.sample import sample_study

NAME = "sample-tradeoff"


@pytest.fixture
def source(tmp_path: Path) -> Studies:
    engine = connect(str(tmp_path / "source.db"), create=True)
    sample_study(engine, 12)
    return Studies(engine)


def copy(text: str, folder: Path, name: str = NAME) -> tuple[Engine, Studies]:
    engine = connect(str(folder / "copy.db"), create=True)
    import_study_file(engine, name, read_study_file(text, "x.json"), "x.json")
    return engine, Studies(engine)


def test_every_finished_trial_comes_back_with_its_configuration_and_matrices(source: Studies, tmp_path: Path) -> None:
    engine, found = copy(source.study_file(NAME), tmp_path)
    finished = [row for row in source.ledger(NAME) if row["state"] == "COMPLETE" and row["duplicate_of"] is None]
    kept = ("number", "config", "config_hash", "params", "measure", "seeds", "model_weights", "memory_bytes")
    assert [{key: row[key] for key in kept} for row in found.ledger(NAME)] == [  # type: ignore[literal-required]
        {key: row[key] for key in kept}
        for row in finished  # type: ignore[literal-required]
    ]
    for row in finished:
        for split in ("test", "validation"):
            matrices = [one.matrices(NAME, row["number"], split) for one in (source, found)]
            assert np.array_equal(*matrices, equal_nan=True)
        runs = [one.trial(NAME, row["number"])["runs"] for one in (source, found)]
        told = ("seed", "device", "threads", "data_checksum", "task_seconds", "peak_memory_mib")
        assert [[run[key] for key in told] for run in runs[0]] == [[run[key] for key in told] for run in runs[1]]  # type: ignore[literal-required]
    assert found.front(NAME)["number"].tolist() == source.front(NAME)["number"].tolist()
    assert check_database(engine).problems == []


def test_a_file_names_no_host_and_no_command_line(source: Studies) -> None:
    launch = source.study(NAME).launches[0]
    text = source.study_file(NAME)
    assert str(launch["host"]) not in text
    assert str(launch["command_line"]) not in text
    assert json.loads(text)["launches"][0]["git_commit"] == launch["git_commit"]


def test_a_copy_written_again_is_the_same_but_for_its_launches(source: Studies, tmp_path: Path) -> None:
    first = json.loads(source.study_file(NAME))
    again = json.loads(copy(source.study_file(NAME), tmp_path)[1].study_file(NAME))
    assert first.pop("launches")[-1:] == again.pop("launches")
    assert first == again


def test_a_study_of_which_less_was_run_than_published_stays_reduced(source: Studies, tmp_path: Path) -> None:
    content = json.loads(source.study_file(NAME))
    settings = {"training.iterations": 4000, "stream.n_tasks": 4, "seeds": 20}
    content["paper"] = {"cite": "Somebody (2026)", "settings": settings}
    for position, trial in enumerate(content["trials"]):
        trial["config"]["training"]["iterations"] = 500 + position
    _, found = copy(json.dumps(content), tmp_path)
    reduced = [str(one) for one in deviations(found.study(NAME).spec) if one.is_reduction]
    assert reduced == ["training.iterations 500 instead of 4000", "seeds 3 instead of 20"]


def test_a_name_that_is_taken_is_refused(source: Studies, tmp_path: Path) -> None:
    copy(source.study_file(NAME), tmp_path)
    with pytest.raises(StudyExists):
        copy(source.study_file(NAME), tmp_path)


def without_test(content: dict[str, Any]) -> None:
    del content["trials"][0]["runs"][0]["matrices"]["test"]


def cut_row(content: dict[str, Any]) -> None:
    content["trials"][0]["runs"][0]["matrices"]["validation"].pop()


def twice(content: dict[str, Any]) -> None:
    content["trials"][0]["runs"].append(content["trials"][0]["runs"][0])


def misspelt(content: dict[str, Any]) -> None:
    content["trials"][0]["confg"] = content["trials"][0].pop("config")


def falling(content: dict[str, Any]) -> None:
    content["trials"].reverse()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (without_test, r"trials\.0\.runs\.0: must have the matrix test"),
        (cut_row, r"matrix validation must have 6 rows of 5 numbers"),
        (twice, r"trials\.0: each seed must be there once, got \[0, 1, 2, 0\]"),
        (misspelt, r"unknown key 'confg'; did you mean 'config'"),
        (falling, r"trials must have rising numbers"),
    ],
)
def test_a_wrong_file_is_refused_with_the_key(
    change: Callable[[dict[str, Any]], None], message: str, source: Studies
) -> None:
    content = json.loads(source.study_file(NAME))
    change(content)
    with pytest.raises(ConfigInvalid, match=message):
        read_study_file(json.dumps(content), "x.json")


@pytest.mark.parametrize("text", ["", "[1]", "{}", "number,seed"])
def test_another_file_is_no_study_file(text: str) -> None:
    with pytest.raises(ConfigInvalid, match=r"x\.json: must be a study file"):
        read_study_file(text, "x.json")
