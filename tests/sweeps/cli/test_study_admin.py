"""The commands of `hnet study` that write: retry, rm, import, and exchange with Optuna."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import optuna
import pytest
import yaml
from click.testing import Result
from typer.testing import CliRunner

import studies
from hnet_core.errors import ConfigInvalid, NotFound
from studies.database.connections import DatabaseUnreachable
from studies.database.open_database import DatabaseForeign, connect
from studies.errors import StudyNotFound
from studies.store.admin import remove_study
from studies.store.store import Store
from sweeps import cli
from sweeps.runner import run_sweep
from tests.sweeps.tiny import SPEC, inline, tiny_spec


@pytest.fixture
def db(finished: Path, tmp_path: Path) -> str:
    return str(shutil.copy(finished, tmp_path / "hnet.db"))


def hnet(*arguments: str) -> Result:
    return CliRunner().invoke(cli.app, list(arguments))


def test_a_failed_trial_that_is_queued_again_is_trained_by_the_same_sweep(db: str) -> None:
    engine = connect(db)
    with engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM run WHERE number = 1")
        connection.exec_driver_sql("DELETE FROM trial_summary WHERE number = 1")
        connection.exec_driver_sql("UPDATE trial SET state = 'FAILED', reason = 'lost power' WHERE number = 1")
    assert hnet("study", "retry", "tiny", "--db", db).exit_code == 0
    run_sweep(tiny_spec(), db, backend=inline)
    table = studies.open(db).trials("tiny")
    assert table["state"].tolist() == ["COMPLETE"] * 3
    assert table["attempt"].tolist() == [1, 2, 1]
    assert table["n"].tolist() == [2, 2, 2]


def test_of_many_trials_queued_again_the_first_are_listed(db: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for queued, shown in (
        ([4], "queued trial 4 again; "),
        ([4, 7], "queued trials 4 and 7 again; "),
        (list(range(102)), "queued trials 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 90 more again; "),
    ):
        monkeypatch.setattr("studies.store.admin.retry_trials", lambda *_, found=queued: found)
        assert hnet("study", "retry", "tiny", "--db", db).stderr.startswith(shown)


def test_a_removed_study_leaves_neither_rows_nor_optuna_trials(db: str) -> None:
    error = hnet("study", "rm", "tiny", "--db", db).exception
    assert isinstance(error, ConfigInvalid)
    assert str(error) == "rm deletes 3 trials of tiny permanently; confirm with --yes."
    assert hnet("study", "rm", "tiny", "--yes", "--db", db).exit_code == 0
    assert studies.open(db).studies(archived=True).empty
    assert optuna.get_all_study_names(f"sqlite:///{db}") == []
    run_sweep(tiny_spec(), db, backend=inline)
    assert studies.open(db).trial_counts("tiny").states["COMPLETE"] == 3


@pytest.mark.slow
def test_a_study_is_exported_to_optuna_and_imported_again_on_the_command_line(db: str, tmp_path: Path) -> None:
    target = str(tmp_path / "optuna.db")
    result = hnet("study", "export-optuna", "tiny", target, "--db", db)
    assert result.exit_code == 0
    assert result.stderr == (
        f"wrote 3 trials of tiny to {target}.\n"
        "its values are of the test split; the front goes by validation, so Optuna's best trials may be others.\n"
    )
    result = hnet(
        "study", "import-optuna", target, "tiny", "--target-weights", "1000", "--ratio", "1", "--as", "back", "--db", db
    )
    assert result.exit_code == 0, result.exception
    found = studies.open(db)
    assert found.trials("back")["final_accuracy"].tolist() == pytest.approx(
        found.trials("tiny")["final_accuracy"].tolist()
    )


def test_a_study_is_not_renamed_or_removed_while_a_driver_runs(db: str) -> None:
    engine = connect(db)
    Store(engine).acquire_lease(1, "me", "host", 1, 60)
    error = hnet("study", "rm", "tiny", "--yes", "--db", db).exception
    assert getattr(error, "exit_code", None) == 6
    Store(engine).release_lease(1, "me")
    assert remove_study(engine, "tiny")


def write_results(path: Path, accuracy: float) -> None:
    """Two seeds of two tasks, measured elsewhere."""
    lines = ["number,seed,after_task,on_task,value,target_weights,model_weights,method.name"]
    for seed in range(2):
        for after, on in ((1, 1), (2, 1), (2, 2)):
            lines.append(f"0,{seed},{after},{on},{accuracy + 0.01 * seed},1000,300,{path.stem}")
    path.write_text("\n".join(lines))


@pytest.mark.slow
def test_results_of_a_csv_are_compared_overlaid_and_shown_like_any_other(db: str, tmp_path: Path) -> None:
    for name, accuracy in (("ours", 0.9), ("theirs", 0.7)):
        write_results(tmp_path / f"{name}.csv", accuracy)
        assert hnet("study", "import", str(tmp_path / f"{name}.csv"), "--db", db).exit_code == 0
    for command in ("compare", "tradeoff"):
        result = hnet("report", command, "ours", "theirs", "--db", db, "-o", str(tmp_path / command))
        assert result.exit_code == 0, result.exception
    status = hnet("sweep", "status", "ours", "--db", db, "--format", "json")
    assert '"planned": null' in status.stdout, status.exception
    runs = studies.open(db).runs("ours")
    assert runs["inference_multiply_adds"].dtype == float, "nobody counted them: NaN, not None"
    assert runs["model_weights"].tolist() == [300, 300]


def test_what_an_import_does_not_know_is_named_where_it_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(
        "number,seed,after_task,on_task,value,target_weights,model_weights\n0,0,1,1,0.5,1000,300\n"
    )
    (tmp_path / "blank.csv").write_text("\n")
    database = ["--db", str(tmp_path / "t.db")]
    assert isinstance(hnet("study", "import", str(tmp_path / "none.csv"), *database).exception, NotFound)
    assert "got an empty file" in str(hnet("study", "import", str(tmp_path / "blank.csv"), *database).exception)
    assert hnet("study", "import", str(tmp_path / "t.csv"), *database).exit_code == 0
    output = ["-o", str(tmp_path / "out"), *database]
    report = hnet("report", "tradeoff", "t", "--x", "seconds", "--by", "method", *output)
    assert "no configuration of t has finished with a value of seconds" in str(report.exception)
    export = hnet("trial", "export", "t", "0", *output)
    assert "imported without configurations that can be trained" in str(export.exception)


def test_a_check_of_a_spec_looks_for_the_study_it_starts_from(db: str, tmp_path: Path) -> None:
    spec = tmp_path / "again.yaml"
    content = {**SPEC, "study": "again", "sampler": "tpe", "warm_start": "tiny"}
    spec.write_text(yaml.safe_dump(content))
    assert hnet("sweep", "check", str(spec), "--db", db).exit_code == 0
    spec.write_text(yaml.safe_dump(content | {"warm_start": "tinny"}))
    assert isinstance(hnet("sweep", "check", str(spec), "--db", db).exception, StudyNotFound)


def test_a_storage_that_is_none_of_optuna_is_an_error_and_is_not_made(db: str, tmp_path: Path) -> None:
    missing = tmp_path / "nosuch.db"
    result = hnet("study", "import-optuna", str(missing), "x", "--target-weights", "1", "--ratio", "1", "--db", db)
    assert isinstance(result.exception, NotFound)
    assert not missing.exists()
    (tmp_path / "text.db").write_text("no database " * 100)
    os.mkfifo(tmp_path / "pipe")
    for arguments, kind in (
        (["import-optuna", str(tmp_path / "text.db"), "x", "--target-weights", "1", "--ratio", "1"], DatabaseForeign),
        (["import-optuna", str(tmp_path / "pipe"), "x", "--target-weights", "1", "--ratio", "1"], DatabaseForeign),
        (["export-optuna", "tiny", str(tmp_path / "no" / "folder.db")], DatabaseUnreachable),
    ):
        assert isinstance(hnet("study", *arguments, "--db", db).exception, kind)
