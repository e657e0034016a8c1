"""Summaries equal what the raw measurements give, and `hnet db check` finds those that do not."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from click.testing import Result
from sqlalchemy import Engine, create_engine, delete, insert, text, update
from typer.testing import CliRunner

from studies.database import open_database as database
from studies.database.backup import backup
from studies.database.integrity import check_database, repair_summaries
from studies.database.open_database import connect
from studies.database.schema import evaluation, run, run_summary, trial, trial_summary
from studies.database.stored_metrics import fill_summaries
from studies.metrics.definitions import VARYING
from studies.queries.studies import Studies
from studies.statistics.intervals import over_seeds, t_interval
from sweeps.cli.db import DatabaseInconsistent, app
from tests.studies.sample import sample_study


def db(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def test_interval_of_many_groups_is_the_interval_of_each() -> None:
    rng = np.random.default_rng(1)
    group, values = rng.integers(0, 9, 40), rng.normal(size=40)
    group[group == 3] = 4  # an empty group
    values[::7] = np.nan
    found = np.array(over_seeds(group, values))
    for i in range(group.max() + 1):
        expected = t_interval(values[group == i].tolist())
        came = [None if np.isnan(x) else pytest.approx(x) for x in found[:, i]]
        assert [expected.mean, expected.low, expected.high] == came


def test_a_database_written_by_the_store_has_no_problem(engine: Engine) -> None:
    sample_study(engine, 12)
    found = check_database(engine)
    assert (found.studies, found.trials, found.runs, found.problems) == (1, 12, 27, [])


def test_cosines_of_gradients_are_stored_beside_the_matrices_and_summarised(engine: Engine) -> None:
    name = sample_study(engine, 1, seeds=2, n_tasks=3)
    cells = [(run_id, task, value) for run_id in (1, 2) for task, value in ((2, 0.5), (3, -0.25 * run_id))]
    with engine.execution_options(hnet_writes=True).begin() as connection:
        for run_id, task, value in cells:
            cell = {"run_id": run_id, "after_task": task, "on_task": task, "value": value}
            connection.execute(insert(evaluation).values(split="gradient_cosine", **cell))
    repair_summaries(engine)
    [row] = Studies(engine).trials(name).to_dict("records")
    assert row["gradient_cosine"] == pytest.approx((0.125 + 0.0) / 2)
    assert check_database(engine).problems == [], "a cosine may be below 0"
    assert Studies(engine).matrices(name, 0, "gradient_cosine")[1][3].tolist()[2] == -0.5


@pytest.mark.parametrize(
    ("break_it", "message"),
    [
        (
            update(evaluation).where(evaluation.c.run_id == 1).values(value=0.25),
            "run 1: final_accuracy must be 0.25, got",
        ),
        (update(run_summary).where(run_summary.c.run_id == 2).values(forgetting=None), "run 2: forgetting must be"),
        (delete(run_summary).where(run_summary.c.run_id == 3), "run 3 has no summary"),
        (update(trial_summary).where(trial_summary.c.number == 1).values(n=7), "trial 1 / 1: n must be 3, got 7"),
        (delete(trial_summary).where(trial_summary.c.number == 1), "trial 1 / 1 has no summary"),
        (insert(trial_summary).values(study_id=1, number=4, n=1), "trial 1 / 4 has a summary and no runs"),
    ],
)
def test_a_summary_that_is_not_what_the_measurements_say_is_found_and_repaired(
    engine: Engine, break_it: Callable[[], None], message: str
) -> None:
    sample_study(engine, 12)
    with engine.begin() as connection:
        connection.execute(break_it)  # type: ignore[call-overload]
    assert any(line.startswith(message) for line in check_database(engine).problems)
    repair_summaries(engine)
    assert check_database(engine).problems == []


@pytest.mark.parametrize(
    ("break_it", "message"),
    [
        (delete(run).where(run.c.number == 2), "trial 2 of 'sample-tradeoff' is COMPLETE and has no run"),
        (update(trial).where(trial.c.number == 1).values(state="FAILED", reason="x"), "trial 10 .* duplicates a trial"),
        (update(trial).where(trial.c.number == 0).values(finished_at=None), "trial 0 .* finished and has no moment"),
        (update(trial).where(trial.c.number == 4).values(reason=None), "trial 4 .* FAILED and has no reason"),
        (update(trial).where(trial.c.number == 0).values(target_weights=0), "trial 0 .* no positive weight counts"),
        (insert(evaluation).values(run_id=1, split="test", after_task=9, on_task=1, value=0.5), "run 1 has 1 eval"),
        (
            update(evaluation).where(evaluation.c.run_id == 1, evaluation.c.after_task == 0).values(value=3),
            "run 1 has 5",
        ),
    ],
)
def test_rows_that_contradict_each_other_are_found(engine: Engine, break_it: Callable[[], None], message: str) -> None:
    import re

    sample_study(engine, 12)
    with engine.begin() as connection:
        connection.execute(break_it)  # type: ignore[call-overload]
    problems = check_database(engine).problems
    assert any(re.match(message, line) for line in problems), problems


def test_summaries_are_added_where_an_upgrade_made_room_for_them(engine: Engine) -> None:
    name = sample_study(engine, 12)
    before = Studies(engine).trials(name)
    with engine.execution_options(hnet_writes=True).begin() as connection:
        connection.execute(delete(run_summary))
        connection.execute(delete(trial_summary))
        fill_summaries(connection)
    assert Studies(engine).trials(name).equals(before)


def first_schema(path: Path) -> None:
    """An empty database as the first release made it."""
    engine = create_engine(f"sqlite:///{path}")
    first = ScriptDirectory.from_config(database._alembic_config()).get_revision("0001")
    assert first is not None
    with engine.begin() as connection:
        with Operations.context(MigrationContext.configure(connection)):
            first.module.upgrade()
        connection.execute(text("CREATE TABLE hnet_version (version_num VARCHAR(32) NOT NULL)"))
        connection.execute(text("INSERT INTO hnet_version VALUES ('0001')"))
    engine.dispose()


def test_database_of_the_first_schema_gets_its_summaries_by_the_upgrade(tmp_path: Path, sqlite_engine: Engine) -> None:
    name = sample_study(sqlite_engine, 12)
    before = Studies(sqlite_engine).trials(name, columns=["number", "n", *VARYING])
    sqlite_engine.dispose()
    path = tmp_path / "old.db"
    first_schema(path)
    old = sqlite3.connect(path)
    old.execute("ATTACH DATABASE ? AS new", [str(sqlite_engine.url.database)])
    for table in ("study", "launch", "trial", "run", "evaluation", "task_time"):
        columns = ", ".join(row[1] for row in old.execute(f"PRAGMA table_info({table})"))
        old.execute(f"INSERT INTO {table} SELECT {columns} FROM new.{table}")
    old.commit()
    old.close()
    assert db("upgrade", "--db", str(path)).stderr == "the database was upgraded.\n"
    assert Studies(connect(str(path))).trials(name, columns=["number", "n", *VARYING]).equals(before)
    assert db("check", "--db", str(path)).exit_code == 0


def test_check_reports_what_it_read_and_exits_with_one_where_something_is_wrong(sqlite_engine: Engine) -> None:
    sample_study(sqlite_engine, 12)
    path = str(sqlite_engine.url.database)
    result = db("check", "--db", path)
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == "checked 1 study, 12 trials, 27 runs, 945 evaluations: no problems.\n"
    with sqlite_engine.begin() as connection:
        connection.execute(text("UPDATE run_summary SET forgetting = 9 WHERE run_id = 5"))
    result = db("check", "--db", path, "--format", "json")
    assert json.loads(result.stdout)["rows"][0]["problem"].startswith("run 5: forgetting must be")
    assert isinstance(result.exception, DatabaseInconsistent)
    assert result.exception.exit_code == 1
    assert db("check", "--db", path, "--repair").exit_code == 0


def test_upgrade_of_an_up_to_date_database_changes_nothing(sqlite_engine: Engine) -> None:
    sqlite_engine.dispose()
    path = Path(str(sqlite_engine.url.database))
    before = path.read_bytes()
    result = db("upgrade", "--db", str(path))
    assert (result.exit_code, result.stderr) == (0, "the database is up to date.\n")
    assert path.read_bytes() == before


def test_init_makes_a_database_once(tmp_path: Path) -> None:
    path = str(tmp_path / "new.db")
    assert db("init", "--db", path).exit_code == 0
    sample_study(connect(path), 3)
    assert db("init", "--db", path).exit_code == 0
    assert len(Studies(connect(path)).studies()) == 1


def test_backup_holds_everything_and_never_overwrites(engine: Engine, tmp_path: Path) -> None:
    name = sample_study(engine, 12)
    copy = tmp_path / "copy.db"
    backup(engine, copy)
    copied = connect(str(copy))
    assert Studies(copied).trials(name).equals(Studies(engine).trials(name))
    assert Studies(copied).evaluations(name).equals(Studies(engine).evaluations(name))
    assert check_database(copied).problems == []
    with pytest.raises(ValueError, match=r"must go to a new file, got .*copy.db, which exists"):
        backup(engine, copy)
    with pytest.raises(ValueError, match="must go into a directory"):
        backup(engine, tmp_path / "nowhere" / "copy.db")
