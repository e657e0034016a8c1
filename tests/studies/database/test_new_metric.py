"""A new metric is a definition with its function: upgrading a database makes its columns, without a migration."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Engine, inspect, text

from studies.database.open_database import SchemaOutdated, connect
from studies.database.schema import metadata
from studies.database.views import VIEWS
from studies.metrics.definitions import METRICS
from studies.queries.studies import Studies
from tests.postgres import new_postgres_database
from tests.studies.database.test_migrations import first_database
from tests.studies.sample import sample_study

VERSIONS = Path(__file__).parents[3] / "studies" / "database" / "migrations" / "versions"
# Runs the command line with one metric more: the lowest accuracy of any task after the last one.
COMMAND_LINE = """
import sys
from studies.metrics import definitions
def worst_accuracy(matrices):
    import numpy as np
    return np.nanmin(matrices.at_end, axis=1)
metric = definitions.Metric("worst_accuracy", "Worst accuracy", "higher", "accuracy", "matrix", worst_accuracy, "")
definitions.METRICS[metric.name] = metric
definitions.MATRIX_METRICS += (metric.name,)
definitions.VARYING += (metric.name,)
from sweeps.cli import main
main()
"""


def hnet(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", COMMAND_LINE, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def test_a_new_metric_is_shown_after_an_upgrade_without_a_migration(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = str(tmp_path / "hnet.db")
    if kind == "postgresql":
        url = new_postgres_database(request.getfixturevalue("postgres_url"), "new_metric")
    engine = connect(url, create=True)
    name = sample_study(engine, 3, seeds=2)
    migrations = sorted(path.name for path in VERSIONS.iterdir())
    db = ["--db", url]
    refused = hnet("study", "trials", name, *db)
    assert refused.returncode == 5
    assert "upgrade it: hnet db upgrade" in refused.stderr
    upgraded = hnet("db", "upgrade", *db)
    assert "the database was upgraded" in upgraded.stderr, upgraded
    shown = json.loads(hnet("study", "trials", name, "--format", "json", *db).stdout)["rows"]
    assert len(shown) == 3
    for trial in shown:
        after_last = Studies(engine).matrices(name, trial["number"])[:, -1, :]
        assert trial["worst_accuracy"]["mean"] == pytest.approx(after_last.min(axis=1).mean())
        assert trial["worst_accuracy"]["n"] == 2
    assert "worst_accuracy" in hnet("study", "sql", "SELECT worst_accuracy FROM run_metrics", *db).stdout
    assert hnet("db", "check", *db).returncode == 0
    assert "is up to date" in hnet("db", "upgrade", *db).stderr
    assert sorted(path.name for path in VERSIONS.iterdir()) == migrations


@pytest.mark.slow
def test_a_database_with_a_metric_that_is_gone_opens_as_it_is(sqlite_engine: Engine) -> None:
    name = sample_study(sqlite_engine, 3)
    path = Path(str(sqlite_engine.url.database))
    assert hnet("db", "upgrade", "--db", str(path)).returncode == 0
    before = path.read_bytes()
    assert len(Studies(connect(str(path))).trials(name)) == 3
    assert path.read_bytes() == before


def test_a_view_that_lacks_a_metric_is_made_again_by_an_upgrade(sqlite_engine: Engine) -> None:
    """A metric of kind count has no column in the summaries, only in the views."""
    path = str(sqlite_engine.url.database)
    with sqlite_engine.begin() as connection:
        connection.execute(text("DROP VIEW trial_metrics"))
        connection.execute(text("CREATE VIEW trial_metrics AS SELECT number, final_accuracy FROM trial_summary"))
        connection.execute(text("CREATE VIEW my_own AS SELECT number FROM trial"))
    with pytest.raises(SchemaOutdated, match="hnet db upgrade"):
        connect(path)
    upgraded = connect(path, create=True)
    columns = {column["name"] for column in inspect(upgraded).get_columns("trial_metrics")}
    assert columns >= set(METRICS)
    assert "my_own" in inspect(upgraded).get_view_names()
    connect(path).dispose()


def test_an_upgraded_database_has_the_columns_of_a_new_one(tmp_path: Path) -> None:
    first_database(tmp_path / "old.db")
    old, new = (connect(str(tmp_path / name), create=True) for name in ("old.db", "new.db"))
    names = [*metadata.tables, *(view.name for view in VIEWS)]
    for name in names:
        columns = [{c["name"]: str(c["type"]) for c in inspect(one).get_columns(name)} for one in (old, new)]
        assert columns[0] == columns[1], name
        if name in metadata.tables:
            assert set(columns[0]) == set(metadata.tables[name].c.keys())


def test_opening_a_database_of_today_changes_nothing(sqlite_engine: Engine) -> None:
    sample_study(sqlite_engine, 3)
    path = Path(str(sqlite_engine.url.database))
    connect(str(path), create=True).dispose()
    before = path.read_bytes()
    for create in (False, True):
        connect(str(path), create=create).dispose()
    assert path.read_bytes() == before
