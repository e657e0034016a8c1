"""Opening databases: study databases, empty, foreign, broken and unreachable ones."""

from __future__ import annotations

import importlib
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, inspect, make_url, text

import studies.database.migrations
from hnet_core.errors import ConfigInvalid
from studies.database import open_database as database
from studies.database.connections import DatabaseUnreachable, tune_sqlite
from studies.database.open_database import DatabaseForeign, SchemaOutdated, connect
from studies.database.schema import VERSION_TABLE, metadata
from studies.database.views import VIEWS
from studies.queries.studies import Studies
from studies.store.store import Store
from tests.studies.conftest import new_postgres_database
from tests.studies.sample import describe, sample_params, sample_study

HEAD = ScriptDirectory.from_config(database._alembic_config()).get_current_head()
NextRevision = Callable[[str], None]


@pytest.fixture
def next_revision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> NextRevision:
    """A function that makes the migrations end with a further revision whose upgrade is the given statement."""
    scripts = tmp_path / "migrations"
    shutil.copytree(Path(studies.database.migrations.__file__).parent, scripts)
    monkeypatch.setattr(database, "_migrations", lambda: scripts)

    def write(statement: str) -> None:
        head = f"import sqlalchemy as sa\nfrom alembic import op\nrevision, down_revision = '9998', '{HEAD}'\n"
        (scripts / "versions" / "9998_next.py").write_text(f"{head}def upgrade():\n    {statement}\n")
        importlib.invalidate_caches()

    return write


def test_files_of_migrations_are_named_by_their_revision_and_the_last_is_the_newest() -> None:
    scripts = list(ScriptDirectory.from_config(database._alembic_config()).walk_revisions())
    assert all(Path(script.path).name.startswith(f"{script.revision}_") for script in scripts)
    assert max(script.revision for script in scripts) == HEAD


def tables_of(engine: Engine) -> set[str]:
    with engine.connect() as connection:
        return set(inspect(connection).get_table_names())


def test_missing_database_is_an_error_unless_it_may_be_created(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    with pytest.raises(DatabaseUnreachable, match=r"no database at .*runs\.db; run a sweep first") as error:
        connect(str(path))
    assert error.value.exit_code == 5
    assert not path.exists()
    engine = connect(f"sqlite:///{path}", create=True)
    assert tables_of(engine) == {*metadata.tables, VERSION_TABLE}
    assert tables_of(connect(str(path))) == tables_of(engine)
    with engine.connect() as connection:
        assert set(inspect(connection).get_view_names()) == {view.name for view in VIEWS}


def test_creating_twice_keeps_what_is_there(tmp_path: Path) -> None:
    path = str(tmp_path / "runs.db")
    Store(connect(path, create=True)).create_study("kept", {}, 1)
    assert Store(connect(path, create=True)).find_study("kept") is not None


def test_postgresql_database_is_created_and_opened(empty_postgres: str) -> None:
    with pytest.raises(DatabaseUnreachable, match="holds no studies yet"):
        connect(empty_postgres)
    engine = connect(empty_postgres, create=True)
    assert tables_of(engine) == {*metadata.tables, VERSION_TABLE}
    connect(empty_postgres).dispose()
    engine.dispose()


def test_sqlite_settings_let_people_read_while_a_driver_writes(tmp_path: Path) -> None:
    path = str(tmp_path / "runs.db")
    engine = connect(path, create=True)
    with engine.connect() as connection:
        settings = [
            connection.scalar(text(f"PRAGMA {name}")) for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
        assert settings == ["wal", 1, 1]
        assert connection.scalar(text("PRAGMA busy_timeout")) == 60_000
    store = Store(engine)
    with store._writer.begin() as writing:
        writing.execute(text("UPDATE study SET seeds = seeds"))
        assert Store(connect(path)).find_study("none") is None


def test_writers_wait_for_each_other(tmp_path: Path) -> None:
    """Each call here reads before it writes, which SQLite refuses to mix without the lock taken first."""
    path = str(tmp_path / "runs.db")
    store = Store(connect(path, create=True))
    study_id = store.create_study("s", {}, 1)
    launch_id = store.record_launch(study_id, {})
    what = describe(sample_params(np.random.default_rng(0)), 2)

    def write(numbers: range) -> None:
        own = Store(connect(path))
        for number in numbers:
            own.skip_trial(study_id, number, what, launch_id=launch_id, reason="infeasible")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, [range(start, start + 50) for start in range(0, 200, 50)]))
    assert len(Studies(connect(path)).ledger("s")) == 200


@pytest.mark.slow
def test_two_processes_create_one_database(tmp_path: Path) -> None:
    path = str(tmp_path / "runs.db")
    code = "import sys; from studies.database.open_database import connect; connect(sys.argv[1], create=True)"
    makers = [subprocess.Popen([sys.executable, "-c", code, path]) for _ in range(3)]
    assert [maker.wait(60) for maker in makers] == [0, 0, 0]
    connect(path).dispose()


def test_creation_that_breaks_off_leaves_no_half_made_schema(
    engine: Engine, next_revision: NextRevision, tmp_path: Path, postgres_url: str
) -> None:
    url = str(tmp_path / "new.db") if engine.dialect.name == "sqlite" else new_postgres_database(postgres_url, "half")
    next_revision("raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        connect(url, create=True)
    next_revision("pass")
    with pytest.raises(DatabaseUnreachable, match="holds no studies yet"):
        connect(url)
    connect(url, create=True).dispose()


def test_optuna_tables_do_not_make_a_database_foreign(tmp_path: Path) -> None:
    import optuna

    path = tmp_path / "runs.db"
    storage = optuna.storages.RDBStorage(f"sqlite:///{path}")
    with pytest.raises(
        DatabaseUnreachable, match=r"Optuna, none of hnet; import one: hnet study import-optuna .*runs\.db NAME"
    ):
        connect(str(path))
    engine = connect(str(path), create=True)
    tune_sqlite(storage.engine)
    optuna.create_study(storage=storage, study_name="s").ask({"x": optuna.distributions.FloatDistribution(0, 1)})
    with storage.engine.connect() as connection:
        assert connection.scalar(text("PRAGMA synchronous")) == 1
    assert {"alembic_version", VERSION_TABLE} < tables_of(engine)
    connect(str(path)).dispose()


@pytest.mark.parametrize("create", [False, True])
@pytest.mark.parametrize("kind", ["other tables", "other tables in WAL mode", "no database", "text"])
def test_foreign_file_is_refused_and_stays_as_it_is(tmp_path: Path, kind: str, create: bool) -> None:
    path = tmp_path / "theirs.db"
    if kind.startswith("other"):
        theirs = sqlite3.connect(path)
        if "WAL" in kind:
            theirs.execute("PRAGMA journal_mode = WAL")
        theirs.execute("CREATE TABLE customers (id INTEGER)")
        theirs.commit()
        theirs.close()
    else:
        path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(200) if kind == "no database" else b"hello")
    before = path.read_bytes()
    with pytest.raises(DatabaseForeign, match="must be a study database") as error:
        connect(str(path), create=create)
    assert error.value.exit_code == 5
    assert path.read_bytes() == before


def test_foreign_postgresql_database_is_refused_and_stays_as_it_is(empty_postgres: str) -> None:
    admin = create_engine(empty_postgres.replace("postgresql:", "postgresql+psycopg:"))
    with admin.begin() as connection:
        connection.execute(text("CREATE TABLE customers (id INTEGER)"))
    with pytest.raises(DatabaseForeign):
        connect(empty_postgres, create=True)
    assert tables_of(admin) == {"customers"}
    admin.dispose()


def test_older_database_is_upgraded_only_on_request(engine: Engine, next_revision: NextRevision) -> None:
    name = sample_study(engine, 3)
    before = Studies(engine).trials(name)
    url = engine.url.render_as_string(hide_password=False)
    next_revision("with op.batch_alter_table('trial') as table: table.add_column(sa.Column('note', sa.Text()))")
    try:
        with pytest.raises(SchemaOutdated, match="hnet db upgrade --db") as error:
            connect(url)
        assert error.value.exit_code == 5
        upgraded = connect(url, create=True)
        with upgraded.connect() as connection:
            assert connection.scalar(text("SELECT count(note) FROM trial")) == 0
            assert connection.scalar(text("SELECT count(*) FROM trial_metrics")) == 3, "views read the changed table"
        pd.testing.assert_frame_equal(Studies(upgraded).trials(name), before)
        connect(url).dispose()
    finally:
        with engine.begin() as connection:  # the PostgreSQL database is shared by the tests
            connection.execute(text("ALTER TABLE trial DROP COLUMN IF EXISTS note" if "post" in url else "SELECT 1"))
            connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '{HEAD}'"))


def test_newer_database_is_never_touched(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    connect(str(path), create=True).dispose()
    connection = sqlite3.connect(path)
    connection.execute(f"UPDATE {VERSION_TABLE} SET version_num = '9999'")
    connection.commit()
    connection.close()
    before = path.read_bytes()
    for create in (False, True):
        with pytest.raises(SchemaOutdated, match="newer hnet than this one; upgrade hnet") as error:
            connect(str(path), create=create)
        assert error.value.exit_code == 5
    assert path.read_bytes() == before


def test_place_where_no_file_can_be_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnreachable, match="must be a file, got the directory"):
        connect(str(tmp_path), create=True)
    with pytest.raises(DatabaseUnreachable, match=r"no directory .*nowhere .*create it first"):
        connect(str(tmp_path / "nowhere" / "runs.db"), create=True)
    with pytest.raises(DatabaseUnreachable, match=r"must be (writable|a file that can be read and written)"):
        connect("/proc/runs.db", create=True)


@pytest.mark.parametrize("create", [True, False])
def test_a_named_pipe_is_refused_instead_of_waited_for(create: bool, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DatabaseUnreachable, match=r"must be a file, got .*pipe"):
        connect(str(tmp_path / "pipe"), create=create)


def test_a_number_of_more_than_64_bits_is_an_error_of_the_question(tmp_path: Path) -> None:
    engine = connect(str(tmp_path / "runs.db"), create=True)
    with engine.connect() as connection, pytest.raises(ConfigInvalid, match="must lie within 64 bits"):
        connection.execute(text("SELECT :number"), {"number": 2**63})
    engine.dispose()


def test_damaged_file_gives_one_line(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    connect(str(path), create=True).dispose()
    content = bytearray(path.read_bytes())
    content[100:4096] = b"\xff" * 3996
    path.write_bytes(content)
    with pytest.raises(DatabaseUnreachable, match="malformed") as error:
        connect(str(path))
    assert "\n" not in str(error.value)


def test_postgresql_that_is_not_there_is_named_without_its_password() -> None:
    with pytest.raises(DatabaseUnreachable) as error:
        connect("postgresql://ann:hunter2@127.0.0.1:1/studies?sslpassword=hunter3", create=True)
    message = str(error.value)
    assert error.value.exit_code == 5
    assert "postgresql+psycopg://ann:***@127.0.0.1:1/studies" in message
    assert "check the address and that the server runs" in message
    assert "hunter" not in message
    assert "\n" not in message


def test_error_after_opening_is_explained_too(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    store = Store(connect(str(path), create=True))
    sqlite3.connect(path).execute("DROP TABLE study").close()
    with pytest.raises(DatabaseUnreachable, match=r"must be a file that can be read and written, got: no such table"):
        store.find_study("s")


@pytest.mark.parametrize(
    "url", ["mysql://u:secret@h/d", "sqlite://", "sqlite:///:memory:", ":memory:", "postgresql://[::secret"]
)
def test_what_is_no_database_here_is_a_usage_error(url: str) -> None:
    with pytest.raises(ConfigInvalid) as error:
        connect(url, create=True)
    assert error.value.exit_code == 2
    assert "secret" not in str(error.value)


@pytest.mark.slow
def test_only_sqlite_opens_the_file_of_a_database(tmp_path: Path) -> None:
    """Closing any other descriptor of it would drop this process's locks, and its next commits would be lost."""
    sample_study(connect(str(tmp_path / "hnet.db"), create=True), 5, name="kept")
    done = subprocess.run([sys.executable, "-c", LOOK, *LOOKING], capture_output=True, text=True, cwd=tmp_path)
    assert done.stderr.strip() == ""


LOOK = """
import os, sys
from typer.testing import CliRunner
import studies
from studies.database.open_database import connect
from sweeps.cli import app
opened = set()
sys.addaudithook(lambda event, args: opened.add(os.path.basename(str(args[0]))) if event == "open" else None)
studies.open("hnet.db").studies()
connect("hnet.db", create=True)
for command in sys.argv[1:]:
    done = CliRunner().invoke(app, [*command.split(), "--db", "hnet.db"])
    assert done.exit_code == 0, (command, done.output, done.exception)
sys.exit(", ".join(name for name in opened if name == "hnet.db" or name.startswith("hnet.db-")))
"""
LOOKING = (
    "study ls",
    "study show kept",
    "study trials kept",
    "study sql SELECT+1",
    "study export kept -o kept.csv",
    "sweep status kept",
    "db check",
    "db upgrade",
    "db backup copy.db",
    "doctor",
    "report tradeoff kept -o report",
    "study export-optuna kept sqlite:///optuna.db",
    "study import-optuna sqlite:///optuna.db kept --as again --target-weights 1000 --model-weights 900",
    "study rm kept --yes",
)


def test_a_commit_survives_a_look_at_the_same_file_from_the_process_that_writes(tmp_path: Path) -> None:
    path = str(tmp_path / "hnet.db")
    store = Store(connect(path, create=True))
    code = "import sys, studies; print(len(studies.open(sys.argv[1]).studies()))"
    for count in range(3):
        store.create_study(f"s{count}", {}, 1)
        Studies(connect(path)).studies()
        seen = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True)
        assert seen.stdout.strip() == str(count + 1)


# Reads and writes a database as somebody who may not write its directory; root may write everywhere.
READER = """
import json, os, sys
import pandas, sqlalchemy.dialects.sqlite, studies.queries.read_only_sql
from hnet_core.errors import HnetError
from studies.database.open_database import connect
from studies.queries.studies import Studies
from studies.store.store import Store
def read(path):
    found = Studies(connect(path))
    return len(found.trials("sample-tradeoff")), int(found.sql("SELECT count(*) AS n FROM trial")["n"][0])
read(sys.argv[2])
if os.geteuid() == 0:
    os.setresuid(65534, 65534, 65534)
try:
    print(json.dumps(read(sys.argv[1])))
    Store(connect(sys.argv[1])).create_study("new", {}, 1)
except HnetError as error:
    print(f"{type(error).__name__} {error.exit_code}: {error}")
"""


@pytest.fixture
def shared_folder() -> Iterator[Path]:
    """A folder that other users may enter, which those of pytest are not."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)
        for path in (Path(folder), *Path(folder).iterdir()):
            path.chmod(0o755)


def read_as_another(path: Path, other: Path) -> str:
    command = [sys.executable, "-c", READER, str(path), str(other)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.mark.slow
@pytest.mark.parametrize("medium", ["read-only directory", "read-only file", "both"])
def test_a_database_on_a_read_only_medium_is_read_and_not_written(
    shared_folder: Path, tmp_path: Path, medium: str
) -> None:
    folder = shared_folder / "medium"
    folder.mkdir()
    path = folder / "study.db"
    engine = connect(str(path), create=True)
    sample_study(engine, 3)
    engine.dispose()
    shutil.copy(path, tmp_path / "other.db")
    path.chmod(0o666 if medium == "read-only directory" else 0o444)
    folder.chmod(0o777 if medium == "read-only file" else 0o555)
    before = path.read_bytes()
    lines = read_as_another(path, tmp_path / "other.db").splitlines()
    assert lines[0] == "[3, 3]"
    assert lines[1].startswith("DatabaseUnreachable 5: the database ")
    assert "readonly" in lines[1] or "unable to open" in lines[1]
    assert path.read_bytes() == before


def test_changes_in_a_wal_file_are_not_left_out_on_a_read_only_medium(shared_folder: Path, tmp_path: Path) -> None:
    folder = shared_folder / "medium"
    folder.mkdir()
    engine = connect(str(tmp_path / "study.db"), create=True)
    sample_study(engine, 3)
    holder = sqlite3.connect(tmp_path / "study.db")
    holder.execute("BEGIN")
    holder.execute("SELECT count(*) FROM trial").fetchall()
    Store(engine).create_study("in the wal file", {}, 1)
    for name in ("study.db", "study.db-wal"):
        shutil.copy(tmp_path / name, folder / name)
        (folder / name).chmod(0o444)
    holder.close()
    engine.dispose()
    folder.chmod(0o555)
    answer = read_as_another(folder / "study.db", tmp_path / "study.db")
    assert answer.startswith("DatabaseUnreachable 5: ")
    assert "study.db-wal holds changes" in answer


@pytest.fixture
def restricted_postgres(empty_postgres: str) -> tuple[str, str]:
    """URLs of one PostgreSQL database: of its owner, and of a user who may not create in its schema."""
    owner = create_engine(make_url(empty_postgres).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with owner.connect() as connection:
        if connection.scalar(text("SELECT 1 FROM pg_roles WHERE rolname = 'guest'")) is None:
            connection.execute(text("CREATE ROLE guest LOGIN PASSWORD 'guest'"))
        connection.execute(text("REVOKE CREATE ON SCHEMA public FROM PUBLIC"))
    owner.dispose()
    guest = make_url(empty_postgres).set(username="guest", password="guest")
    return empty_postgres, guest.render_as_string(hide_password=False)


def test_postgresql_without_the_right_to_create_names_the_grant(restricted_postgres: tuple[str, str]) -> None:
    _, guest = restricted_postgres
    with pytest.raises(DatabaseUnreachable, match="GRANT USAGE, CREATE ON SCHEMA public TO guest") as error:
        connect(guest, create=True)
    assert error.value.exit_code == 5
    assert "\n" not in str(error.value)
    assert ":guest@" not in str(error.value), "no password"


def test_postgresql_without_the_right_to_its_tables_names_the_grant(restricted_postgres: tuple[str, str]) -> None:
    url, guest = restricted_postgres
    connect(url, create=True).dispose()
    with pytest.raises(
        DatabaseUnreachable, match="GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public"
    ):
        Studies(connect(guest)).studies()


def test_read_only_postgresql_is_read_and_not_written(empty_postgres: str) -> None:
    engine = connect(empty_postgres, create=True)
    sample_study(engine, 3)
    engine.dispose()
    read_only = (
        f"{empty_postgres}{'&' if '?' in empty_postgres else '?'}options=-c%20default_transaction_read_only%3Don"
    )
    found = connect(read_only)
    assert len(Studies(found).trials("sample-tradeoff")) == 3
    with pytest.raises(DatabaseUnreachable, match="default_transaction_read_only"):
        Store(found).create_study("new", {}, 1)


def test_tables_that_are_gone_from_postgresql_are_no_bug(empty_postgres: str) -> None:
    engine = connect(empty_postgres, create=True)
    with engine.begin() as connection:
        connection.execute(text("ALTER SCHEMA public RENAME TO elsewhere"))
    with pytest.raises(DatabaseUnreachable, match="search_path"):
        Studies(engine).studies()
    with pytest.raises(DatabaseUnreachable, match="GRANT USAGE, CREATE ON SCHEMA public"):
        connect(empty_postgres, create=True)
