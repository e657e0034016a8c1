"""Somebody's Optuna storage stays byte-identical, whatever an import of it comes to."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import suppress
from pathlib import Path

import optuna
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from optuna.trial import TrialState, create_trial
from sqlalchemy import create_engine, inspect, text

from hnet_core.errors import HnetError, NotFound
from studies.database.connections import DatabaseUnreachable
from studies.database.open_database import DatabaseForeign, SchemaOutdated, connect
from studies.queries.studies import Studies
from sweeps.search.optuna_exchange import Meaning, from_optuna, to_optuna
from sweeps.search.optuna_source import read_study
from tests.studies.sample import sample_study

MEANING = Meaning(0, "accuracy", target_weights=1000, model_weights=100)


def storage(path: Path, *values: float, state: TrialState = TrialState.COMPLETE) -> Path:
    study = optuna.create_study(storage=f"sqlite:///{path}", study_name="theirs", direction="maximize")
    study.add_trials([create_trial(value=value, state=state) for value in values])
    return path


def change(path: Path, *statements: str) -> None:
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def test_a_storage_is_read_without_a_change_to_the_folder_it_is_in(tmp_path: Path) -> None:
    path = storage(tmp_path / "theirs.db", 0.5, 0.25)
    before = path.read_bytes()
    _, trials = read_study(str(path), "theirs")
    assert [trial.value for trial in trials] == [0.5, 0.25]
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == ["theirs.db"]


def test_a_file_of_another_program_is_refused_and_stays_as_it_is(tmp_path: Path) -> None:
    change(tmp_path / "guests.db", "CREATE TABLE guests (name)")
    (tmp_path / "empty.db").touch()
    connect(str(tmp_path / "hnet.db"), create=True).dispose()
    (tmp_path / "text.db").write_text("no database " * 100)
    for name in ("guests.db", "empty.db", "hnet.db", "text.db"):
        before = (tmp_path / name).read_bytes()
        with pytest.raises((DatabaseForeign, DatabaseUnreachable)) as found:
            read_study(str(tmp_path / name), "theirs")
        assert found.value.exit_code == 5
        assert (tmp_path / name).read_bytes() == before
    with pytest.raises(NotFound):
        read_study(str(tmp_path / "missing.db"), "theirs")
    assert not (tmp_path / "missing.db").exists()


@pytest.mark.parametrize(
    ("statements", "message"),
    [
        (
            [
                "UPDATE alembic_version SET version_num = 'v3.0.0.d'",
                "UPDATE version_info SET library_version = '3.1.1'",
            ],
            "was written by Optuna 3.1.1, .* make a copy, upgrade it .optuna storage upgrade",
        ),
        (
            ["DROP TABLE alembic_version", "UPDATE version_info SET library_version = '0.8.0'"],
            "was written by Optuna 0.8.0, .* make a copy, upgrade it",
        ),
        (
            ["UPDATE alembic_version SET version_num = 'v99'", "UPDATE version_info SET library_version = '99.1'"],
            "was written by Optuna 99.1, newer than .* upgrade optuna",
        ),
    ],
)
def test_a_storage_of_another_version_is_refused_with_that_version_and_a_way_on(
    tmp_path: Path, statements: list[str], message: str
) -> None:
    path = storage(tmp_path / "theirs.db", 0.5)
    change(path, *statements)
    before = path.read_bytes()
    with pytest.raises(SchemaOutdated, match=message) as found:
        read_study(str(path), "theirs")
    assert found.value.exit_code == 5
    assert path.read_bytes() == before


def test_an_export_leaves_other_programs_and_older_storages_as_they_are(tmp_path: Path) -> None:
    engine = connect(str(tmp_path / "hnet.db"), create=True)
    name = sample_study(engine, 3)
    change(tmp_path / "guests.db", "CREATE TABLE guests (name)")
    change(storage(tmp_path / "old.db", 0.5), "UPDATE alembic_version SET version_num = 'v3.0.0.d'")
    for target, kind in (("guests.db", DatabaseForeign), ("old.db", SchemaOutdated)):
        before = (tmp_path / target).read_bytes()
        with pytest.raises(kind):
            to_optuna(Studies(engine), name, str(tmp_path / target))
        assert (tmp_path / target).read_bytes() == before
    assert to_optuna(Studies(engine), name, str(tmp_path / "hnet.db")) == 3, "beside its own studies"


def test_a_postgresql_storage_is_read_without_making_a_table(postgres_url: str) -> None:
    from tests.postgres import new_postgres_database

    url = new_postgres_database(postgres_url, "hnet_optuna_source")
    engine = create_engine(url)
    with pytest.raises(DatabaseForeign, match="got a database without its tables"):
        read_study(url, "theirs")
    assert inspect(engine).get_table_names() == []
    study = optuna.create_study(storage=url, study_name="theirs", direction="maximize")
    study.add_trial(create_trial(value=0.5))
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE trial_heartbeats"))  # Optuna would make it again
    _, trials = read_study(url, "theirs")
    assert [trial.value for trial in trials] == [0.5]
    assert "trial_heartbeats" not in inspect(engine).get_table_names()
    engine.dispose()


@pytest.fixture(scope="module")
def empty_storage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return storage(tmp_path_factory.mktemp("empty") / "theirs.db")


DAMAGES = [
    "SELECT 1",
    "DROP TABLE trial_values",
    "DROP TABLE version_info",
    "DELETE FROM alembic_version",
    "UPDATE alembic_version SET version_num = 'v2.4.0.a'",
    "UPDATE trial_params SET distribution_json = 'x'",
    "UPDATE trial_params SET distribution_json = '{}'",
    "UPDATE trial_values SET value_type = 'INF_POS', value = NULL",
]


@pytest.mark.slow
@given(data=st.data())
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_storage_is_byte_identical_after_an_import(
    empty_storage: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Values, states, parameters and versions of any kind, whole and damaged, in rollback and in WAL mode."""
    path = tmp_path_factory.mktemp("any") / "theirs.db"
    shutil.copy(empty_storage, path)
    study = optuna.load_study(storage=f"sqlite:///{path}", study_name="theirs")
    lr = {"lr": optuna.distributions.FloatDistribution(0, 1)}
    states = st.sampled_from([TrialState.COMPLETE, TrialState.PRUNED, TrialState.RUNNING])
    for value in data.draw(st.lists(st.floats(allow_nan=False), max_size=2)):
        study.add_trial(create_trial(value=value, state=data.draw(states), params={"lr": 0.5}, distributions=lr))
    change(path, f"PRAGMA journal_mode = {data.draw(st.sampled_from(['DELETE', 'WAL']))}")
    change(path, data.draw(st.sampled_from(DAMAGES)))
    before = path.read_bytes()
    with suppress(HnetError):
        from_optuna(str(path), data.draw(st.sampled_from(["theirs", "other"])), MEANING)
    assert path.read_bytes() == before
