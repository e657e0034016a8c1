"""Output streams and exit codes of the command line."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from studies.spec.loading import load_spec
from sweeps import cli
from sweeps.presets import open_document
from tests.hnet_core.tiny import TINY
from tests.sweeps.tiny import SPEC, inline


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Hnet = Callable[..., Done]


@pytest.fixture
def hnet(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Hnet:
    """Run `hnet ARGUMENTS` in an empty folder, sweeps in this process instead of on Ray."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sweeps.runner._ray", lambda: inline)

    def run(*arguments: str) -> Done:
        monkeypatch.setattr("sys.argv", ["hnet", *arguments])
        code = 0
        try:
            cli.main()
        except SystemExit as error:
            code = error.code if isinstance(error.code, int) else 1
        captured = capsys.readouterr()
        return Done(code, captured.out, captured.err)

    return run


@pytest.fixture
def spec(tmp_path: Path) -> str:
    path = tmp_path / "tiny.yaml"
    path.write_text(yaml.safe_dump(SPEC, sort_keys=False))
    return path.name


@pytest.fixture
def finished_here(finished: Path, tmp_path: Path) -> None:
    """The database of the spec, its sweep finished, in the working folder."""
    shutil.copy(finished, tmp_path / "hnet.db")


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_sweep_goes_from_spec_to_front_and_report(hnet: Hnet, spec: str, tmp_path: Path) -> None:
    ran = hnet("sweep", "run", spec, "--workers", "1")
    assert (ran.code, ran.out) == (0, "")
    assert "3/3 done" in ran.err
    assert "hnet report tradeoff tiny" in ran.err
    rows = hnet("study", "trials", "tiny", "--format", "json").json["rows"]
    assert [(row["number"], row["state"]) for row in rows] == [(n, "COMPLETE") for n in range(3)]
    assert set(rows[0]["params"]) == set(SPEC["search"])
    assert set(rows[0]["final_accuracy"]) == {"mean", "low", "high", "n"}
    assert rows[0]["final_accuracy"]["n"] == 2
    front = hnet("study", "front", "tiny", "--format", "json").json["rows"]
    assert {row["number"] for row in front} <= {0, 1, 2}
    reported = hnet("report", "tradeoff", "tiny", "-o", "out")
    assert reported.code == 0, reported.err
    assert (tmp_path / "out" / "tradeoff.html").stat().st_size > 10_000
    status = hnet("sweep", "status", "tiny", "--format", "json").json
    assert (status["planned"], status["done"], status["running"], status["driver"]) == (3, 3, 0, None)


def test_finished_with_failed_trials_is_exit_code_4(hnet: Hnet, spec: str) -> None:
    done = hnet("sweep", "run", spec, "--set", "search.training.lr={choice: [1.0e+30]}", "--set", "budget.trials=1")
    assert done.code == 4
    assert "1 trial failed; why: hnet study trials tiny" in done.err
    shown = hnet("study", "show", "tiny", "0", "--format", "json").json
    assert "TrainingDiverged" in json.dumps(shown)


def test_a_sweep_in_which_every_trial_fails_stops_with_reason_traceback_and_the_command_that_continues_it(
    hnet: Hnet, spec: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(*_: object) -> None:
        raise KeyError("learning_rate")

    monkeypatch.setattr("sweeps.worker._train", break_down)
    done = hnet("sweep", "run", spec, "--set", "budget.trials=200", "--set", "limits.failures=2")
    assert done.code == 4
    *traceback, why, remedy = done.err.splitlines()
    assert "Traceback (most recent call last):" in traceback and traceback[-1] == "KeyError: 'learning_rate'"
    reason = "the first 2 trials failed (limits.failures); 2 of 2 like trial 1: KeyError: 'learning_rate'"
    assert why == f"Stopped, since {reason}"
    command = f"hnet sweep run {spec} --set budget.trials=200 --set limits.failures=2"
    assert remedy == f"Mend that and continue with: {command}"


def test_trial_run_prints_metrics_as_json_on_stdout_and_progress_on_stderr(hnet: Hnet, tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text(yaml.safe_dump(TINY))
    done = hnet("trial", "run", "one.yaml", "--seeds", "2", "--set", "training.iterations=2", "--format", "json")
    assert done.code == 0
    assert set(done.json["final_accuracy"]) == {"mean", "low", "high", "n"}
    assert (done.json["final_accuracy"]["n"], done.json["seeds"]) == (2, [0, 1])
    assert isinstance(done.json["hypernet_weights"], int)
    assert done.json["config"]["training"]["iterations"] == 2
    assert "seed 1 of 2: task 5/5" in done.err


def test_one_seed_has_no_interval(hnet: Hnet, spec: str) -> None:
    metric = hnet("trial", "run", spec, "--format", "json").json["final_accuracy"]
    assert metric["n"] == 1
    assert metric["low"] is metric["high"] is None


def test_set_overrides_a_family_of_one_trial(hnet: Hnet) -> None:
    given = ["--family", "hypermask", "--set", "method.mask_sparsity=70", "--set", "hypernet.chunk_size=500"]
    found = hnet("trial", "describe", "three_families", *given, "--format", "json", "--data", "/nonexistent").json
    assert (found["config"]["method"]["name"], found["config"]["method"]["mask_sparsity"]) == ("hypermask", 70)
    assert found["config"]["hypernet"]["chunk_size"] == 500


def test_trial_describe_counts_the_steps_of_epochs(hnet: Hnet) -> None:
    epochs = ("--set", "training.iterations=null", "--set", "training.epochs=2", "--format", "json")
    found = hnet("trial", "describe", "quickstart", *epochs).json
    assert found["steps"] == 2 * 10 * -(-1078 // 32)  # permuted digits: ten tasks, 1078 training images each
    assert found["config"]["training"]["iterations"] is None


def test_selection_without_a_validation_split_is_refused_before_anything_is_written(hnet: Hnet, tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    for part in ("train", "test"):
        np.savez(tmp_path / "own" / f"{part}.npz", images=np.zeros((20, 8, 8), np.uint8), labels=np.arange(20) % 10)
    changes = ["stream.dataset=own", "stream.validation=0", "training.select=best_validation"]
    given = [word for change in changes for word in ("--set", change)]
    for command in ("trial run", "sweep check", "sweep run"):
        db = ("--db", str(tmp_path / "new.db")) if command == "sweep run" else ()
        done = hnet(*command.split(), "quickstart:smoke", *given, "--data", str(tmp_path), *db)
        assert done.code == 2 and "select best_validation needs a validation split" in done.err, (command, done)
    assert not (tmp_path / "new.db").exists()


def test_trial_describe_counts_without_training(hnet: Hnet) -> None:
    found = hnet("trial", "describe", "split_mnist", "--format", "json", "--data", "/nonexistent").json
    assert (found["target_weights"], found["hypernet_weights"]) == (478_410, 465_672)
    assert found["model_bytes"] == 4 * 465_672
    assert found["multiply_adds_per_step"]["last_task"] > found["multiply_adds_per_step"]["first_task"]


def test_sweep_check_estimates_and_writes_nothing(hnet: Hnet, spec: str, tmp_path: Path) -> None:
    before = sorted(tmp_path.iterdir())
    found = hnet("sweep", "check", spec, "--format", "json").json
    assert (found["trials"], found["runs"]) == (3, 6)
    assert found["estimated_minutes"] >= 0
    assert sorted(tmp_path.iterdir()) == before


def test_the_resources_of_a_trial_are_options_too(hnet: Hnet, spec: str) -> None:
    checked = hnet("sweep", "check", spec, "--cpus", "2", "--gpus", "0", "--memory", "1 GiB", "--format", "json")
    assert checked.json["resources"] == ["2 CPUs, 1 GiB"]
    wrong = hnet("sweep", "check", spec, "--memory", "much")
    assert (wrong.code, wrong.err.count("\n")) == (2, 1)
    assert "resources.memory: must be a size with a unit, such as 8 GiB or 500 MB, got 'much'" in wrong.err


@pytest.mark.parametrize("command", [["sweep", "check"], ["sweep", "run"], ["trial", "run"]])
def test_networks_that_no_memory_holds_are_refused_with_both_numbers_before_anything_is_written(
    command: list[str], hnet: Hnet, spec: str, tmp_path: Path
) -> None:
    done = hnet(*command, spec, "--set", "target.hidden=[200000000, 200000000]")
    assert done.code == 2
    *before, line = done.err.splitlines()
    assert re.search(r"^error: .*at least [\d.]+ PiB of memory .*, and there are [\d.]+ GiB; take smaller", line)
    reading = [f"Reading {spec}; PyTorch is loaded, which takes some seconds."]
    assert before == (reading if command == ["sweep", "run"] else [])
    assert [path.name for path in tmp_path.iterdir()] == [spec]


def test_trial_describe_counts_what_no_memory_holds(hnet: Hnet, spec: str) -> None:
    found = hnet("trial", "describe", spec, "--set", "target.hidden=[200000000, 200000000]", "--format", "json").json
    assert found["target_weights"] > 4 * 10**16
    assert found["training_memory_mib"] > 10**9


def test_stopping_a_study_without_a_driver_prints_so(hnet: Hnet, finished_here: None) -> None:
    done = hnet("sweep", "stop", "tiny")
    assert (done.code, done.out) == (0, "")
    assert "No driver runs study tiny" in done.err


def test_stopping_a_study_whose_driver_is_dead_prints_so_and_requests_nothing(hnet: Hnet, finished_here: None) -> None:
    from studies.database.open_database import connect
    from studies.store.store import Store

    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        pass
    store = Store(connect("hnet.db"))
    store.acquire_lease(1, "owner", socket.gethostname(), ended.pid, 1000)
    done = hnet("sweep", "stop", "tiny")
    assert done.code == 0 and f"process {ended.pid} on" in done.err and "is dead; there is nothing to stop" in done.err
    assert not hnet("sweep", "status", "tiny", "--format", "json").json["stop_requested"]
    store.acquire_lease(1, "owner", "another-machine", ended.pid, 1000)
    assert "Asked process" in hnet("sweep", "stop", "tiny").err


@pytest.mark.slow
def test_an_objective_that_is_searched_the_wrong_way_is_warned_of(hnet: Hnet, spec: str) -> None:
    setting = "objectives={final_accuracy: minimize, compression_ratio: minimize}"
    done = hnet("sweep", "run", spec, "--set", setting)
    assert done.code == 0
    assert "Warning: objective final_accuracy is to be minimized, but higher is better." in done.err
    assert "Warning" not in hnet("sweep", "run", spec, "--study", "right").err


@pytest.mark.parametrize("kind", ["methods", "streams", "targets", "hypernets", "datasets", "presets"])
def test_list_names_what_can_be_put_into_a_spec(hnet: Hnet, kind: str) -> None:
    rows = hnet("list", kind, "--format", "json").json["rows"]
    assert rows
    assert all(row["name"] and row["summary"] for row in rows)


@pytest.mark.parametrize("kind", ["methods", "streams", "targets", "hypernets"])
def test_list_as_json_has_type_default_and_description_of_every_option(hnet: Hnet, kind: str) -> None:
    options = [row["options"] for row in hnet("list", kind, "--format", "json").json["rows"]]
    every = [option for one in options for option in one.values()]
    assert every
    assert all({"type", "required", "default", "description"} <= set(option) for option in every)
    assert all(option["description"] for option in every)


def test_list_as_json_has_bounds_choices_and_the_range_for_a_search(hnet: Hnet) -> None:
    rows = {row["name"]: row["options"] for row in hnet("list", "methods", "--format", "json").json["rows"]}
    beta = rows["hnet"]["beta_output"]
    assert (beta["type"], beta["default"], beta["at_least"]) == ("float", 0.01, 0)
    assert beta["search"] == {"float": [0.0005, 1.0], "log": True}
    assert rows["hnet"]["lookahead"]["choices"] == ["adam", "sgd", "none"]
    assert rows["hnet"]["regularized_tasks"]["type"] == "int or null"
    assert "beta_output" in hnet("list", "methods").out


def test_a_new_spec_is_valid_runs_and_is_never_written_over_a_file(hnet: Hnet, tmp_path: Path) -> None:
    made = hnet("sweep", "new", "my first: sweep.yaml")
    assert (made.code, made.out) == (0, "")
    text = (tmp_path / "my first: sweep.yaml").read_text()
    assert text.count("#") > 10
    assert hnet("sweep", "check", "my first: sweep.yaml", "--format", "json").json["study"] == "my first: sweep"
    assert hnet("sweep", "run", "my first: sweep.yaml:smoke").code == 0
    again = hnet("sweep", "new", "my first: sweep.yaml")
    assert again.code == 2 and "is there already and is left as it is" in again.err
    assert (tmp_path / "my first: sweep.yaml").read_text() == text
    nowhere = hnet("sweep", "new", "nowhere/a.yaml")
    assert nowhere.code == 2 and "No such file or directory" in nowhere.err


def test_preset_show_prints_yaml_that_is_the_preset_or_its_variant(hnet: Hnet, tmp_path: Path) -> None:
    shown = hnet("preset", "show", "quickstart")
    assert (shown.code, shown.err) == (0, "")
    assert shown.out == open_document("quickstart").text
    (tmp_path / "mine.yaml").write_text(hnet("preset", "show", "quickstart:smoke").out)
    mine, smoke = (load_spec(open_document(name), tmp_path) for name in ("mine.yaml", "quickstart:smoke"))
    assert mine == smoke
    assert hnet("preset", "show", "quickstrt").code == 3
    assert "did you mean 'smoke'" in hnet("preset", "show", "quickstart:smoek").err


@pytest.mark.slow
def test_study_diff_does_not_list_what_is_a_default(hnet: Hnet, spec: str) -> None:
    hnet("sweep", "run", spec)
    hnet("sweep", "run", spec, "--study", "written", "--set", "training.threads=1", "--set", "method.lookahead=adam")
    hnet("sweep", "run", spec, "--study", "other", "--set", "training.lr=0.01")
    written, other = (
        hnet("study", "diff", "tiny", name, "--format", "json").json["rows"] for name in ("written", "other")
    )
    assert [row["key"] for row in written] == ["study"]
    assert [(row["key"], row["a"], row["b"]) for row in other][1:] == [("trial.training.lr", 0.001, 0.01)]


def test_the_status_of_a_study_whose_spec_is_no_longer_valid_is_shown(hnet: Hnet, finished_here: None) -> None:
    with contextlib.closing(sqlite3.connect("hnet.db")) as live, live:
        live.execute("""update study set spec = json_set(spec, '$.search."method.beta_output".step', 0.3)""")
    assert hnet("sweep", "status", "tiny", "--format", "json").json["planned"] == 3


def test_doctor_finds_everything_here(hnet: Hnet) -> None:
    done = hnet("doctor", "--format", "json")
    assert done.code == 0, done.out
    assert all(row["ok"] for row in done.json["rows"])


def test_version(hnet: Hnet) -> None:
    assert hnet("--version").out.startswith("hnet 0.")


# arguments, exit code, error
BAD = {
    "unknown command": (["sweeep"], 2, "No such command"),
    "no such preset": (["sweep", "run", "quickstrt"], 3, "did you mean 'quickstart'"),
    "unknown method": (["sweep", "run", "SPEC", "--set", "method.name=hnt"], 2, "did you mean 'hnet'"),
    "misspelt key": (["sweep", "run", "SPEC", "--set", "training.iteration=3"], 2, "did you mean 'iterations'"),
    "tasks do not divide": (["sweep", "run", "SPEC", "--set", "stream.n_tasks=3"], 2, "use one of 1, 2, 5, 10"),
    "empty search": (["sweep", "run", "SPEC", "--set", "search={}"], 2, "hnet trial run"),
    "NaN": (["sweep", "run", "SPEC", "--set", "training.lr=.nan"], 2, "must be a finite number, got nan"),
    "unknown device": (
        ["sweep", "run", "SPEC", "--set", "training.device=tpu"],
        2,
        "auto, cpu, cuda or cuda:NUMBER, got",
    ),
    "blank study name": (["sweep", "run", "SPEC", "--study", " "], 2, "study: must be a name, got ' '"),
    "missing data set": (["sweep", "run", "SPEC", "--set", "stream.dataset=cifar"], 3, "train.npz and test.npz"),
    "no such study": (["study", "show", "tinny"], 3, "did you mean 'tiny'"),
    "no such study to stop": (["sweep", "stop", "tinny"], 3, "did you mean 'tiny'"),
    "no such study to report": (["report", "tradeoff", "tinny", "-o", "x"], 3, "did you mean 'tiny'"),
    "another spec under the same name": (["sweep", "run", "SPEC", "--set", "training.iterations=4"], 2, "--study"),
    "unknown column": (["study", "trials", "tiny", "--where", "final_acuracy > 0"], 2, "final_accuracy"),
    "writing SQL": (["study", "sql", "delete from trial"], 2, "only reads"),
    "a directory that is not there": (["sweep", "run", "SPEC", "--db", "nowhere/runs.db"], 5, "no directory nowhere"),
    "no database": (["study", "ls", "--db", "other.db"], 5, "no database at other.db"),
    "no PostgreSQL": (["study", "ls", "--db", "postgresql://u:secret@127.0.0.1:9/x"], 5, "must answer"),
    "unknown database": (["study", "ls", "--db", "mysql://u@h/x"], 2, "mysql"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_one_line_with_the_remedy_and_leaves_the_database_unharmed(
    name: str, hnet: Hnet, spec: str, finished: Path, tmp_path: Path
) -> None:
    shutil.copy(finished, tmp_path)
    before = hnet("study", "export", "tiny").out
    arguments, code, message = BAD[name]
    done = hnet(*[spec if argument == "SPEC" else argument for argument in arguments])
    assert done.code == code, done.err
    assert message in done.err
    assert done.out == ""
    assert "Traceback" not in done.err
    assert "secret" not in done.err
    errors = [line for line in done.err.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1 or code == 2
    assert hnet("study", "export", "tiny").out == before


@pytest.mark.parametrize("content", ["not ours", "sqlite of somebody else"])
def test_a_database_that_is_not_ours_stays_byte_identical(hnet: Hnet, spec: str, tmp_path: Path, content: str) -> None:
    path = tmp_path / "theirs.db"
    if content == "not ours":
        path.write_text("not a database at all" * 100)
    else:
        with sqlite3.connect(path) as connection:
            connection.execute("create table recipe (name text)")
    before = digest(path)
    for arguments in (["sweep", "run", spec], ["study", "ls"]):
        done = hnet(*arguments, "--db", "theirs.db")
        assert done.code == 5
        assert "theirs.db" in done.err
    assert digest(path) == before


def test_a_corrupt_data_file_is_refused_before_anything_is_written(hnet: Hnet, spec: str, tmp_path: Path) -> None:
    folder = tmp_path / "data" / "mine"
    folder.mkdir(parents=True)
    for split in ("train", "test"):
        (folder / f"{split}.npz").write_bytes(b"rubbish")
    done = hnet("sweep", "run", spec, "--set", "stream.dataset=mine", "--data", "data")
    assert done.code == 2
    assert "must be an npz file" in done.err
    assert not (tmp_path / "hnet.db").exists()


def test_a_report_folder_that_cannot_be_written_is_an_error(hnet: Hnet, finished_here: None, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file, not a folder")
    done = hnet("report", "tradeoff", "tiny", "-o", "taken")
    assert done.code == 2
    assert "taken" in done.err


def test_an_unexpected_error_is_one_line_and_exit_code_1(hnet: Hnet, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("not foreseen")

    monkeypatch.setattr("sweeps.presets.open_document", broken)
    done = hnet("sweep", "run", "quickstart")
    assert done.code == 1
    assert done.err.splitlines()[-1].startswith("error: unexpected RuntimeError: not foreseen")
    assert "HNET_TRACEBACK=1" in done.err
    assert os.environ.get("HNET_TRACEBACK") is None


@pytest.mark.slow
def test_status_list_and_report_show_trials_that_a_killed_driver_left(hnet: Hnet, finished_here: None) -> None:
    from studies.database.open_database import connect
    from studies.store.store import Store

    engine = connect("hnet.db")
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE trial SET state = 'RUNNING', finished_at = NULL WHERE number = 1")
    nobody = "nobody drives this study; the same command resumes it"
    assert hnet("sweep", "status", "tiny", "--format", "json").json["stale"] == f"1 running, stale: {nobody}"
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        pass
    for seconds in (1000, -1000):  # before and after the end of its lease
        Store(engine).acquire_lease(1, "owner", socket.gethostname(), ended.pid, seconds)
        found = hnet("sweep", "status", "tiny", "--format", "json").json
        assert re.fullmatch(rf"1 running, stale since \d{{4}}-.* UTC: {nobody}", found["stale"])
        assert "tiny: 1 running, stale since" in hnet("study", "ls").err
        hnet("report", "tradeoff", "tiny", "-o", "report")
        assert nobody in next(Path("report").glob("*.html")).read_text()
    Store(engine).acquire_lease(1, "owner", socket.gethostname(), os.getpid(), 1000)
    assert hnet("sweep", "status", "tiny", "--format", "json").json["stale"] is None


def test_status_counts_pruned_trials(hnet: Hnet, finished_here: None) -> None:
    from studies.database.open_database import connect

    with connect("hnet.db").begin() as connection:
        connection.exec_driver_sql("UPDATE trial SET state = 'PRUNED' WHERE number = 1")
        connection.exec_driver_sql("UPDATE trial SET state = 'FAILED', duplicate_of = 0 WHERE number = 2")
    found = hnet("sweep", "status", "tiny", "--format", "json").json
    assert {key: found[key] for key in ("asked", "done", "running", "pruned", "failed", "duplicates")} == {
        "asked": 2,
        "done": 1,
        "running": 0,
        "pruned": 1,
        "failed": 0,
        "duplicates": 1,
    }


@pytest.mark.slow
def test_a_sweep_without_a_feasible_trial_ends_with_the_nearest_value(hnet: Hnet, spec: str) -> None:
    done = hnet("sweep", "run", spec, "--set", "constraints={final_accuracy: '>= 0.999'}")
    assert done.code == 0
    for again in (done, hnet("sweep", "run", spec, "--set", "constraints={final_accuracy: '>= 0.999'}")):
        assert re.search(r"None of 3 keeps final_accuracy >= 0.999 \(nearest 0\.\d+\): there is no front", again.err)
    assert "| none of 3 keeps final_accuracy >= 0.999 (nearest" in done.err and "best final_accuracy" not in done.err


@pytest.mark.slow
def test_a_process_pinned_to_one_core_gets_one_worker(spec: str, tmp_path: Path) -> None:
    code = (
        "import os, sys; os.sched_setaffinity(0, [min(os.sched_getaffinity(0))]); "
        "from sweeps.cli import main; sys.argv = ['hnet', 'sweep', 'check', sys.argv[1], '--format', 'json']; main()"
    )
    done = subprocess.run([sys.executable, "-c", code, spec], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert json.loads(done.stdout)["workers"] == 1
