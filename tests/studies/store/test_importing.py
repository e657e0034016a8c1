from __future__ import annotations

import csv
from pathlib import Path

import pytest
from click.testing import Result
from sqlalchemy import Engine
from typer.testing import CliRunner

from hnet_core.errors import ConfigInvalid
from studies.database.integrity import check_database
from studies.database.open_database import connect
from studies.errors import StudyNotFound
from studies.queries.studies import Studies
from studies.store.csv_import import read_csv
from studies.store.importing import import_studies
from studies.store.store import StudyExists
from sweeps.cli.study import app
from tests.studies.sample import sample_study

HEAD = "number,seed,split,after_task,on_task,value,target_weights,model_weights,method.name,method.lr"
CELLS = ["0,0,test,1,1,0.9,1000,300,ewc,0.1", "0,0,test,2,1,0.7,1000,300,ewc,0.1", "0,0,test,2,2,0.8,1000,300,ewc,0.1"]


def study_import(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["import", *arguments])


def test_a_copied_study_equals_the_original(engine: Engine, tmp_path: Path) -> None:
    name = sample_study(engine, 12)
    sample_study(engine, 3, name="other")
    copy = connect(str(tmp_path / "copy.db"), create=True)
    sample_study(copy, 3, name="there before")
    assert import_studies(engine, copy, [name]) == [name]
    there, here = Studies(engine), Studies(copy)
    assert here.studies()["name"].tolist() == ["there before", name]
    expected = there.trials(name).drop(columns="launch_id")
    assert here.trials(name).drop(columns="launch_id").equals(expected)
    assert here.evaluations(name).equals(there.evaluations(name))
    assert here.study(name).uuid == there.study(name).uuid
    assert [one["host"] for one in here.study(name).launches] == [one["host"] for one in there.study(name).launches]
    assert check_database(copy).problems == []


def test_a_copy_into_postgresql_can_be_written_to_afterwards(engine: Engine, tmp_path: Path) -> None:
    source = connect(str(tmp_path / "source.db"), create=True)
    sample_study(source, 12, name="from elsewhere")
    assert import_studies(source, engine) == ["from elsewhere"]
    sample_study(engine, 3)  # would fail if identities had been taken from the source
    assert check_database(engine).problems == []


def test_a_study_is_imported_once(engine: Engine, tmp_path: Path) -> None:
    name = sample_study(engine, 3)
    copy = connect(str(tmp_path / "copy.db"), create=True)
    import_studies(engine, copy)
    for rename in (None, "another name"):
        with pytest.raises(StudyExists, match=f"of '{name}' is in this database already as '{name}'"):
            import_studies(engine, copy, [name], rename)
    assert len(Studies(copy).studies()) == 1
    with pytest.raises(StudyNotFound, match="'nope' is not in the source, which holds"):
        import_studies(engine, copy, ["nope"])
    sample_study(engine, 3, name="second")
    with pytest.raises(ConfigInvalid, match="--as gives one study its name here, got 2"):
        import_studies(engine, copy, rename="one name")


def test_results_of_a_csv_become_a_study(tmp_path: Path) -> None:
    path = tmp_path / "theirs.csv"
    path.write_text("\n".join([HEAD, *CELLS]))
    db = str(tmp_path / "new.db")
    result = study_import(str(path), "--db", db)
    assert (result.exit_code, result.stderr) == (0, "imported 1 trials as theirs.\n")
    found = Studies(connect(db))
    [row] = found.trials("theirs").to_dict("records")
    assert row["final_accuracy"] == pytest.approx(0.75)
    assert row["forgetting"] == pytest.approx(0.2)
    assert (row["compression_ratio"], row["method"], row["method.lr"]) == (0.3, "ewc", 0.1)
    assert row["seconds"] != row["seconds"], "a cost nobody measured is missing, not zero"
    assert found.study("theirs").launches[0]["command_line"] == "imported from theirs.csv"
    assert check_database(connect(db)).problems == []


def test_own_evaluations_survive_the_way_out_and_in(sqlite_engine: Engine, tmp_path: Path) -> None:
    name = sample_study(sqlite_engine, 12)
    found = Studies(sqlite_engine)
    cells = found.evaluations(name).merge(
        found.runs(name)[["number", "seed", "target_weights", "model_weights", "seconds"]]
    )
    cells.to_csv(tmp_path / "out.csv", index=False)
    copy = connect(str(tmp_path / "copy.db"), create=True)
    assert study_import(str(tmp_path / "out.csv"), "--as", "back", "--db", str(tmp_path / "copy.db")).exit_code == 0
    back = Studies(copy).runs("back")
    for metric in ("final_accuracy", "forgetting", "validation_final_accuracy", "forward_transfer", "seconds"):
        assert back[metric].tolist() == pytest.approx(found.runs(name)[metric].tolist(), nan_ok=True)


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
        ([HEAD, "0,0,train,1,1,0.5,1000,300,ewc,1"], "t.csv:2: split must be test or validation, got 'train'"),
        ([HEAD, CELLS[0], CELLS[0]], "t.csv:3: each evaluation must be there once"),
        ([HEAD, CELLS[0], CELLS[1].replace("ewc", "hat")], "t.csv:3: trial 0 must have the same settings"),
        ([HEAD, "0,0,test,1"], "t.csv:2: must have as many values as there are columns"),
        ([HEAD, CELLS[0] + ",more"], "t.csv:2: must have as many values as there are columns"),
    ],
)
def test_a_csv_that_is_wrong_names_its_line(tmp_path: Path, lines: list[str], message: str) -> None:
    (tmp_path / "t.csv").write_text("\n".join(lines))
    with pytest.raises(ConfigInvalid, match=message):
        read_csv(tmp_path / "t.csv")


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
    assert read_csv(tmp_path / "t.csv")[0].params["method.name"] == "=ewc"


def test_a_partly_written_study_is_not_kept(tmp_path: Path) -> None:
    lines = [HEAD.replace("method.lr", "method.name.x"), *CELLS]  # a block and a value at once
    (tmp_path / "t.csv").write_text("\n".join(lines))
    db = str(tmp_path / "new.db")
    assert isinstance(study_import(str(tmp_path / "t.csv"), "--db", db).exception, ConfigInvalid)
    assert Studies(connect(db)).studies().empty
