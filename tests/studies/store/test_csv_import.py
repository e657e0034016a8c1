"""A CSV of results comes in with every number as it is there, or is refused by its line."""

from __future__ import annotations

import csv
import gzip
import re
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine
from typer.testing import CliRunner

from hnet_core.errors import ConfigInvalid
from studies.database.integrity import check_database
from studies.database.open_database import connect
from studies.metrics.definitions import METRICS
from studies.queries.studies import Studies
from studies.store.csv_import import read_csv
from studies.store.imported_trials import ImportedTrial
from studies.store.store import Store
from studies.store.trial_import import import_trials
from sweeps.cli.study import app
from tests.studies.sample import describe, sample_result, sample_study
from tests.studies.store.test_store import PARAMS

HEAD = "number,seed,split,after_task,on_task,value,target_weights,model_weights,method.name,method.lr"
CELLS = ["0,0,test,1,1,0.9,1000,300,ewc,0.1", "0,0,test,2,1,0.7,1000,300,ewc,0.1", "0,0,test,2,2,0.8,1000,300,ewc,0.1"]
NEEDED = "number,seed,after_task,on_task,value,target_weights,model_weights"


def study_import(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["import", *arguments])


def read(tmp_path: Path, *lines: str, name: str = "t.csv", encoding: str = "utf-8") -> list[ImportedTrial]:
    (tmp_path / name).write_bytes("\n".join(lines).encode(encoding))
    return list(read_csv(tmp_path / name))


def params(tmp_path: Path, header: str, *values: str) -> list[dict[str, Any]]:
    """The settings of one trial for each value."""
    lines = [f"{n},0,1,1,0.5,1000,300,{value}" for n, value in enumerate(values)]
    return [dict(one.params) for one in read(tmp_path, f"{NEEDED},{header}", *lines)]


def matrix(number: int, seed: int, n_tasks: int, first: int = 1, value: float = 0.5) -> list[str]:
    return [
        f"{number},{seed},{after},{on},{value},1000,300"
        for after in range(first, n_tasks + first)
        for on in range(1, after - first + 2)
    ]


def test_results_of_a_csv_become_a_study(tmp_path: Path) -> None:
    path = tmp_path / "theirs.csv"
    path.write_text("\n".join([HEAD, *CELLS]))
    db = str(tmp_path / "new.db")
    result = study_import(str(path), "--db", db)
    assert (result.exit_code, result.stderr) == (0, "imported 1 trial as theirs.\n")
    found = Studies(connect(db))
    [row] = found.trials("theirs").to_dict("records")
    assert row["final_accuracy"] == pytest.approx(0.75)
    assert row["forgetting"] == pytest.approx(0.2)
    assert (row["compression_ratio"], row["method"], row["method.lr"]) == (0.3, "ewc", 0.1)
    for cost in ("seconds", "hypernet_ratio", "weights_per_task", "memory_bytes", "model_bytes"):
        assert row[cost] != row[cost], "a cost nobody measured is missing, not zero"
    assert found.study("theirs").launches[0]["command_line"] == "imported from theirs.csv"
    assert check_database(connect(db)).problems == []


@pytest.mark.slow
def test_exported_evaluations_come_back_as_the_same_numbers(sqlite_engine: Engine, tmp_path: Path) -> None:
    name = sample_study(sqlite_engine, 12)
    store = Store(sqlite_engine)
    study_id = Studies(sqlite_engine).study(name).id
    asked = describe(PARAMS, 5)
    store.start_trial(study_id, 40, asked, launch_id=1, attempt=1)
    store.prune_trial(study_id, 40, 1, "others are better", [sample_result(PARAMS, 5, 7)])
    out, db = tmp_path / "out.csv", str(tmp_path / "copy.db")
    source = str(sqlite_engine.url.database)
    exported = CliRunner().invoke(app, ["export", name, "--rows", "evaluations", "--db", source, "-o", str(out)])
    assert exported.exit_code == 0
    result = study_import(str(out), "--as", "back", "--db", db)
    assert (result.exit_code, result.stderr) == (0, "imported 10 trials (1 pruned) as back.\n")
    there, back = Studies(sqlite_engine), Studies(connect(db))
    assert back.evaluations("back").equals(there.evaluations(name))
    costs = [metric for metric in METRICS if METRICS[metric].kind == "matrix"] + ["seconds", "peak_memory_mib"]
    for metric in (*costs, "compression_ratio", "hypernet_ratio"):
        assert back.runs("back")[metric].tolist() == pytest.approx(there.runs(name)[metric].tolist(), nan_ok=True)
    first = there.trial(name, 0)
    assert back.trial("back", 0)["params"]["method.beta_output"] == first["params"]["method.beta_output"]
    assert back.trial("back", 0)["params"]["stream.n_tasks"] == 5
    again = CliRunner().invoke(app, ["export", "back", "--rows", "evaluations", "--db", db, "-o", str(out)])
    assert again.exit_code == 0
    assert study_import(str(out), "--as", "again", "--db", db).exit_code == 0
    both = back.configurations()["studies"].tolist()
    assert both == [["again", "back"]] * 10, "an export says all that makes a configuration"


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (
            ["number,seed"],
            "must have the columns .*; after_task, on_task, value, target_weights, model_weights missing",
        ),
        ([HEAD], "at least one row"),
        ([HEAD, "0,0,test,1,1,93.5,1000,300,ewc,1"], "t.csv:2: an accuracy must be between 0 and 1, got 93.5; divide"),
        ([HEAD, "0,0,test,1,1,much,1000,300,ewc,1"], "t.csv:2: value must be a number, got 'much'"),
        ([HEAD, "0,0,test,1,1,,1000,300,ewc,1"], "t.csv:2: value must be a number, got ''"),
        ([HEAD, "0,0,test,1,0,0.5,1000,300,ewc,1"], "t.csv:2: on_task must be an integer from 1 to 1,000, got '0'"),
        ([HEAD, "0,0,test,1,1,0.5,0,300,ewc,1"], "t.csv:2: target_weights must be an integer from 1 to 1,000,000,"),
        ([HEAD, "0,0,test,1,1,0.5,1000,0,ewc,1"], "t.csv:2: model_weights must be an integer from 1 to"),
        ([HEAD, "0,0,test,1001,1,0.5,1000,300,ewc,1"], "t.csv:2: after_task must be an integer from 0 to 1,000, got"),
        ([HEAD, f"0,{2**63},test,1,1,0.5,1000,300,ewc,1"], "t.csv:2: seed must be an integer from 0 to"),
        (
            [HEAD, "0,0,train,1,1,0.5,1000,300,ewc,1"],
            "t.csv:2: split must be one of test, validation, known_task, inferred_task, task_inference, "
            "gradient_cosine, got 'train'",
        ),
        ([HEAD, CELLS[0], CELLS[0]], "t.csv:3: each evaluation must be there once"),
        ([HEAD, CELLS[0], CELLS[1].replace("ewc", "hat")], "t.csv:3: trial 0 must have the same settings"),
        ([HEAD, "0,0,test,1"], "t.csv:2: must have as many values as there are columns"),
        ([HEAD, CELLS[0] + ",more"], "t.csv:2: must have as many values as there are columns"),
    ],
)
def test_a_csv_that_is_wrong_names_its_line(tmp_path: Path, lines: list[str], message: str) -> None:
    (tmp_path / "t.csv").write_text("\n".join(lines))
    with pytest.raises(ConfigInvalid, match=message):
        list(read_csv(tmp_path / "t.csv"))


def test_a_csv_with_hostile_text_stays_text(tmp_path: Path) -> None:
    with (tmp_path / "t.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*HEAD.split(","), "note"])
        writer.writerow([*CELLS[0].split(","), "'); DROP TABLE trial; --"])
    study_import(str(tmp_path / "t.csv"), "--db", str(tmp_path / "t.db"))
    found = Studies(connect(str(tmp_path / "t.db"))).trials("t", where='note == "\'); DROP TABLE trial; --"')
    assert len(found) == 1


def test_a_text_that_was_made_harmless_on_the_way_out_is_itself_again(tmp_path: Path) -> None:
    lines = [HEAD, *(line.replace("ewc", "'=ewc") for line in CELLS)]
    (tmp_path / "t.csv").write_text("\n".join(lines))
    assert next(iter(read_csv(tmp_path / "t.csv"))).params["method.name"] == "=ewc"


def test_a_study_that_cannot_be_written_whole_is_not_kept(tmp_path: Path) -> None:
    lines = [HEAD, CELLS[0], "1,0,test,1,1,0.9,1000,300,ewc,0.1", CELLS[0]]  # one evaluation twice, found last
    (tmp_path / "t.csv").write_text("\n".join(lines))
    db = str(tmp_path / "new.db")
    assert isinstance(study_import(str(tmp_path / "t.csv"), "--db", db).exception, ConfigInvalid)
    assert Studies(connect(db)).studies().empty


@pytest.mark.parametrize(
    "text", ["007", "92008_00000", "1_000", "+5", "1e400", "inf", "-nan", "12e4567", "0x10", "1.50", "٣", "9" * 5000]
)
def test_text_that_only_looks_like_a_number_stays_text(tmp_path: Path, text: str) -> None:
    assert params(tmp_path, "run.id", text) == [{"run.id": text}]


def test_a_setting_with_a_number_kept_as_text_is_named(tmp_path: Path) -> None:
    lines = [f"{NEEDED},lr,hash", "0,0,1,1,0.5,1000,300,0.01,12e4567", "1,0,1,1,0.5,1000,300,1e-3,a"]
    (tmp_path / "t.csv").write_text("\n".join(lines))
    result = study_import(str(tmp_path / "t.csv"), "--db", str(tmp_path / "t.db"))
    assert result.stderr == (
        "warning: lr is text where it is written like '1e-3': as a number it would be 0.001.\nimported 2 trials as t.\n"
    )


@pytest.mark.parametrize(
    ("text", "number"), [("7", 7), ("-3", -3), ("0.1", 0.1), ("1e-05", 1e-05), ("1.0", 1.0), ("9" * 30, "9" * 30)]
)
def test_a_number_as_it_would_be_written_again_is_a_number(tmp_path: Path, text: str, number: object) -> None:
    [found] = params(tmp_path, "x", text)
    assert (found["x"], type(found["x"])) == (number, type(number))


def test_what_is_no_number_in_json_does_not_stop_questions_to_other_studies(tmp_path: Path) -> None:
    db = str(tmp_path / "t.db")
    sample_study(connect(db, create=True), 3)
    lines = [f"{NEEDED},method.beta", "0,0,1,1,0.5,1000,300,inf", "1,0,1,1,0.5,1000,300,nan"]
    (tmp_path / "t.csv").write_text("\n".join(lines))
    assert study_import(str(tmp_path / "t.csv"), "--db", db).exit_code == 0
    found = Studies(connect(db))
    assert len(found.configurations()) == 5
    assert found.trials("t", where="method.beta == 'inf'")["number"].tolist() == [0]


@pytest.mark.parametrize("name", ["final_accuracy", "compression_ratio.low", "n", "reason", "config_hash", "threads"])
def test_a_setting_called_like_one_of_our_columns_is_refused_by_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigInvalid, match=rf"t.csv:1: '{name}' cannot be the name of a setting.*rename it"):
        params(tmp_path, name, "0.123")


@pytest.mark.parametrize("part", ["method", "stream", "target", "hypernet"])
def test_a_part_by_itself_is_its_name(tmp_path: Path, part: str) -> None:
    assert params(tmp_path, part, "ewc") == [{f"{part}.name": "ewc"}]
    with pytest.raises(ConfigInvalid, match=f"each column must be there once, got '{part}.name' 2 times"):
        params(tmp_path, f"{part},{part}.name", "ewc,hat")


def test_a_column_named_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigInvalid, match=r"t.csv:1: each column must be there once, got 'value' twice"):
        params(tmp_path, "value", "0.1")
    with pytest.raises(ConfigInvalid, match=r"t.csv:1: each column must be there once, got 'lr' 2 times"):
        params(tmp_path, "lr, lr ", "0.1,0.2")
    with pytest.raises(ConfigInvalid, match=r"'training' cannot be a setting beside 'training.lr', a part of it"):
        params(tmp_path, "training,training.lr", "0.1,0.2")
    with pytest.raises(ConfigInvalid, match=r"'method.name.x' cannot be a setting: method.name is a name, not a block"):
        params(tmp_path, "method.name.x", "0.1")


@pytest.mark.parametrize(
    ("header", "row", "message"),
    [
        ("measure", "0,0,1,1,-3,1000,300,mse", "t.csv:2: an mse must be 0 or more, got -3"),
        ("seconds", "0,0,1,1,0.5,1000,300,-5", "t.csv:2: seconds must be 0 or more, got -5"),
        ("peak_memory_mib", "0,0,1,1,0.5,1000,300,-1", "t.csv:2: peak_memory_mib must be 0 or more, got -1"),
        ("seconds", "0,0,1,1,0.5,1000,300,1_0", "t.csv:2: seconds must be a number, got '1_0'"),
        ("state", "0,0,1,1,0.5,1000,300,done", "t.csv:2: state must be COMPLETE or PRUNED, got 'done'"),
        ("n_tasks", "0,0,2,1,0.5,1000,300,1", "t.csv:2: after_task and on_task must be at most n_tasks, 1, got 2"),
    ],
)
def test_costs_errors_and_states_that_cannot_be_are_refused_by_line(
    tmp_path: Path, header: str, row: str, message: str
) -> None:
    with pytest.raises(ConfigInvalid, match=message):
        read(tmp_path, f"{NEEDED},{header}", row)


def test_the_cost_of_a_run_may_stand_in_one_of_its_rows_and_is_not_contradicted(tmp_path: Path) -> None:
    rows = [f"{row},{seconds}" for row, seconds in zip(matrix(0, 0, 2), ("", "12.25", ""), strict=True)]
    [trial] = read(tmp_path, f"{NEEDED},seconds", *rows)
    assert trial.runs[0].seconds == 12.25
    with pytest.raises(
        ConfigInvalid, match=r"t.csv:4: seconds of the whole run must be the same .* got 3.0, and 12.25"
    ):
        read(tmp_path, f"{NEEDED},seconds", *rows[:2], rows[2] + "3")


def test_blanks_count_only_within_quotes(tmp_path: Path) -> None:
    header = " number , seed,after_task,on_task, value,target_weights,model_weights , stream.dataset,note"
    [trial] = read(tmp_path, header, ' 0 ,0,1,1, 0.5 ,1000,300, scifar100 , " a ""b"", c" ')
    assert trial.params == {"stream.dataset": "scifar100", "note": ' a "b", c'}


def test_rows_of_empty_values_do_not_count(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("\n".join([HEAD, *CELLS, "," * HEAD.count(","), ""]))
    assert read_csv(path).rows == len(CELLS)


def test_one_file_holds_one_measure(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigInvalid, match=r"t.csv:3: measure must be the same in the whole file, got 'mse', and 'acc"
    ):
        read(tmp_path, f"{NEEDED},measure", "0,0,1,1,0.5,1000,300,", "1,0,1,1,30,1000,300,mse")


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_semicolons_tabs_and_marked_encodings_are_read(tmp_path: Path, delimiter: str, encoding: str) -> None:
    lines = [line.replace(",", delimiter) for line in (f"{NEEDED},note", "0,0,1,1.0,0.25,1000,300.0,naïve")]
    [trial] = read(tmp_path, *lines, encoding=encoding)
    assert trial.runs[0].cells == {("test", 1, 1): 0.25}
    assert (trial.weights.model if trial.weights else 0, trial.params) == (300, {"note": "naïve"})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (f",{NEEDED}\n0,0,0,1,1,0.5,1000,300\n".encode(), "t.csv:1: column 1 must have a name; pandas writes its"),
        (f"{NEEDED},Unnamed: 0\n".encode(), "t.csv:1: column 8 must have a name; pandas writes its"),
        (NEEDED.replace(",", "|").encode(), "t.csv:1: .* all missing; read with commas between its val"),
        (gzip.compress(NEEDED.encode(), mtime=0), "t.csv must be text in UTF-8, got a gzip archive; unpack it"),
        (f"{NEEDED}\n0,0,1,1,0.5,1000,300\n".encode("utf-16-le"), "t.csv must be text in UTF-8, got zero bytes: no"),
        (f"{NEEDED},note\n0,0,1,1,1,1000,300,né\n".encode("latin-1"), "t.csv:2: must be text in UTF-8, got the byte"),
        (NEEDED.replace(",", ";").encode() + b"\n0;0;1;1;0,5;1000;300", "t.csv:2: value must be a number, got '0,5'"),
        (f"{NEEDED},a\n0,0,1,1,0.5,1000,300,1\n0,0,2,1,0.5,1000,300,1.0".encode(), "t.csv:3: .* '1.0' in column 'a'"),
        (f'{NEEDED},a\n0,0,1,1,0.5,1000,300,"x\n'.encode(), "t.csv:2: a value that begins with a quote must end with"),
        (f'{NEEDED},a\n0,0,1,1,0.5,1000,300,"x"y\n'.encode(), "t.csv:2: a value in quotes must end where its qu"),
        (b"", "t.csv must hold at least one row of results, got an empty file"),
    ],
)  # fmt: skip
def test_a_dialect_that_is_not_read_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(ConfigInvalid, match=message):
        list(read_csv(tmp_path / "t.csv"))


def test_a_seed_that_ends_before_the_others_is_refused_with_its_last_task(tmp_path: Path) -> None:
    rows = [*matrix(0, 0, 5), *matrix(0, 1, 5), *matrix(0, 2, 3)]
    with pytest.raises(
        ConfigInvalid, match=r"t.csv:\d+: every seed of trial 0 .* task 5, got seed 2, which ends after task 3"
    ):
        read(tmp_path, NEEDED, *rows)
    with pytest.raises(ConfigInvalid, match=r"after task 4, got seed 0, which ends after task 3"):
        read(tmp_path, f"{NEEDED},n_tasks", *(f"{row},4" for row in matrix(0, 0, 3)))
    [pruned] = read(tmp_path, f"{NEEDED},n_tasks,state", *(f"{row},4,PRUNED" for row in matrix(0, 0, 3)))
    assert (pruned.state, pruned.n_tasks) == ("PRUNED", 4)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (matrix(0, 0, 3, first=0), "no value after task 3 .after_task counts from 1; 0 is the untrained model"),
        (matrix(0, 0, 3)[:-1], "trial 0, seed 0: no value after task 3 on task 3; final accuracy or error"),
        (matrix(0, 0, 3)[3:], "no value after task 1 to 2; metrics that need them are not defined"),
        ([*matrix(0, 0, 3), *matrix(1, 0, 2)], "different numbers of tasks, which cannot be compared: 2 in trial 1"),
    ],
)  # fmt: skip
def test_evaluations_that_are_missing_are_named(tmp_path: Path, rows: list[str], words: str) -> None:
    (tmp_path / "t.csv").write_text("\n".join([NEEDED, *rows]))
    result = study_import(str(tmp_path / "t.csv"), "--db", str(tmp_path / "t.db"))
    assert result.exit_code == 0
    assert re.search(words, result.stderr)


def test_numbers_of_trials_stay_with_gaps_of_any_size(tmp_path: Path) -> None:
    rows = [*matrix(5, 0, 2), *matrix(2**31 - 1, 0, 2), *matrix(10, 0, 2)]
    (tmp_path / "t.csv").write_text("\n".join([NEEDED, *rows]))
    db = str(tmp_path / "t.db")
    assert study_import(str(tmp_path / "t.csv"), "--db", db).exit_code == 0
    assert Studies(connect(db)).trials("t")["number"].tolist() == [5, 10, 2**31 - 1]
    assert check_database(connect(db)).problems == []


def test_results_are_one_configuration_only_where_all_that_is_said_of_them_is_the_same(tmp_path: Path) -> None:
    db = str(tmp_path / "t.db")
    files = {
        "a": (f"{NEEDED},lr", [f"{row},0.1" for row in matrix(0, 0, 2)]),
        "same as a": (f"{NEEDED},lr", [f"{row},0.1" for row in matrix(3, 1, 2)]),
        "longer": (f"{NEEDED},lr", [f"{row},0.1" for row in matrix(0, 0, 3)]),
        "bigger": (f"{NEEDED},lr", [f"{row[:-3]}400,0.1" for row in matrix(0, 0, 2)]),
        "error": (f"{NEEDED},lr,measure", [f"{row},0.1,mse" for row in matrix(0, 0, 2)]),
        "nothing said": (NEEDED, [*matrix(0, 0, 2), *matrix(1, 0, 2)]),
        "nothing said either": (NEEDED, matrix(0, 0, 2)),
    }
    for name, (header, rows) in files.items():
        (tmp_path / f"{name}.csv").write_text("\n".join([header, *rows]))
        assert study_import(str(tmp_path / f"{name}.csv"), "--db", db).exit_code == 0
    found = Studies(connect(db)).configurations()
    studies = sorted(found["studies"].tolist())
    assert studies == [
        ["a", "same as a"], ["bigger"], ["error"], ["longer"], ["nothing said"], ["nothing said"],
        ["nothing said either"],
    ]  # fmt: skip


def test_a_database_that_is_called_csv_keeps_the_locks_of_this_process(tmp_path: Path) -> None:
    """Closing any descriptor of the file but SQLite's own would drop them."""
    source = tmp_path / "study.csv"
    engine = connect(str(source), create=True)
    sample_study(engine, 3, name="inside")
    engine.dispose()
    holder = sqlite3.connect(source)
    holder.execute("PRAGMA journal_mode = DELETE")
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(ConfigInvalid, match=r"study.csv must be a text file, got a SQLite database"):
        read_csv(source)
    assert study_import(str(source), "--db", str(tmp_path / "t.db")).exit_code == 0
    assert Studies(connect(str(tmp_path / "t.db"))).names() == ["inside"]
    other = f"import sqlite3; sqlite3.connect({str(source)!r}, timeout=0).execute('BEGIN IMMEDIATE')"
    done = subprocess.run([sys.executable, "-c", other], capture_output=True, text=True)
    assert "database is locked" in done.stderr
    holder.close()


SLOW = [pytest.param(where, marks=pytest.mark.slow) for where in ("_insert_trials", "update")]


@pytest.mark.parametrize("where", ["add_summaries", *SLOW])
def test_an_import_that_is_killed_leaves_nothing_and_can_be_started_again(tmp_path: Path, where: str) -> None:
    (tmp_path / "t.csv").write_text("\n".join([NEEDED, *(row for n in range(40) for row in matrix(n, 0, 2))]))
    db, path = tmp_path / "t.db", str(tmp_path / "t.csv")
    code = f"""
import os, signal
from pathlib import Path
from studies.database.open_database import connect
from studies.store import trial_import
from studies.store.csv_import import read_csv
trial_import.TRIALS_AT_A_TIME = 10
original, calls = trial_import.{where}, []
def killed(*arguments, **options):
    calls.append(1)
    if len(calls) == (1 if {where!r} == "update" else 3):
        os.kill(os.getpid(), signal.SIGKILL)
    return original(*arguments, **options)
trial_import.{where} = killed
trial_import.import_trials(connect({str(db)!r}, create=True), "t", read_csv(Path({path!r})), "t", {{}})
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == -9, done.stderr
    assert Studies(connect(str(db))).names() == []
    assert check_database(connect(str(db))).problems == []
    assert study_import(str(tmp_path / "t.csv"), "--db", str(db)).exit_code == 0
    assert Studies(connect(str(db))).trial_counts("t").total == 40


def test_a_name_that_is_taken_is_refused_before_the_file_is_read(tmp_path: Path) -> None:
    db = str(tmp_path / "t.db")
    sample_study(connect(db, create=True), 3, name="t")
    (tmp_path / "t.csv").write_text("no results")
    error = study_import(str(tmp_path / "t.csv"), "--db", db).exception
    assert str(error) == "a study 't' exists already; choose another name (--study, for an import --as)."


def test_a_text_file_is_one_study_and_takes_no_names_of_others(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("\n".join([NEEDED, *matrix(0, 0, 1)]))
    error = study_import(str(tmp_path / "t.csv"), "other", "--db", str(tmp_path / "t.db")).exception
    assert str(error) == "names of studies to copy are for a database, got other for t.csv; its name here is --as."


numbers_of_files = st.one_of(
    st.floats(0, 1).map(repr),
    st.decimals(0, 1, allow_nan=False).map(str),
    st.sampled_from(
        ["0", "1", "1.0", "0.50", ".5", "1e-3", "5E-1", "+0.25", "-0.0", "1.2", "-1", "nan", "", "0,5", "x"]
    ),
)
words = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)


@given(data=st.data())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_csv_comes_in_with_every_number_of_the_file_or_is_refused_by_line(
    tmp_path: Path, sqlite_engine: Engine, data: st.DataObject
) -> None:
    """Settings, dialects, holes, repeated cells and numbers of any kind."""
    keys = st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 3), st.integers(1, 3))
    cells = data.draw(st.lists(st.tuples(keys, numbers_of_files), min_size=1, max_size=12))
    settings_of = {number: (data.draw(words), data.draw(words)) for number in range(3)}
    seconds = {key: data.draw(st.sampled_from(["", "3.25", "0.1"])) for key in {(n, s) for (n, s, _, _), _ in cells}}
    delimiter = data.draw(st.sampled_from([",", ";", "\t"]))
    path = tmp_path / "any.csv"
    encoding = data.draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
    quoting = data.draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
    with path.open("w", newline="", encoding=encoding) as file:
        writer = csv.writer(file, delimiter=delimiter, quoting=quoting)
        writer.writerow([*NEEDED.split(","), "seconds", "method", "note"])
        for (number, seed, after, on), value in cells:
            writer.writerow([number, seed, after, on, value, 1000, 300, seconds[number, seed], *settings_of[number]])
    found = Studies(sqlite_engine)
    name = f"study {len(found.names())}"
    try:
        import_trials(sqlite_engine, name, read_csv(path), "any", {})
    except ConfigInvalid as error:
        assert re.match(r"any.csv:\d+: ", str(error))
        is_repeated = len({key for key, _ in cells}) < len(cells)
        assert is_repeated or not all(_is_accuracy(value) for _, value in cells) or "ends after task" in str(error)
        assert name not in found.names()
        return
    columns = ["number", "seed", "after_task", "on_task", "value"]
    there = found.evaluations(name)[columns].itertuples(index=False)
    assert {tuple(row[:4]): row[4] for row in there} == {key: float(value) for key, value in cells}
    for number, seed in seconds:
        trial = found.trial(name, number)
        [run] = [one for one in trial["runs"] if one["seed"] == seed]
        assert run["seconds"] == float(seconds[number, seed] or 0)
        note = settings_of[number][1]
        assert str(trial["params"].get("note", "")) in (note, note.strip())


def _is_accuracy(text: str) -> bool:
    try:
        return 0 <= float(text) <= 1
    except ValueError:
        return False
