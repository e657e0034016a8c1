"""A person's own SQL reads everything and changes nothing."""

from __future__ import annotations

import time
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import Engine

from hnet_core.errors import ConfigInvalid
from studies.queries.read_only_sql import QueryTimeout, read_sql
from studies.queries.studies import Studies


@pytest.fixture
def found(sampled: Engine) -> Studies:
    return Studies(sampled)


def test_rows_come_back_with_their_names_and_plain_numbers(found: Studies) -> None:
    frame = found.sql("SELECT state, count(*) AS n, avg(number) AS middle FROM trial GROUP BY state ORDER BY state;")
    assert list(frame.columns) == ["state", "n", "middle"]
    assert frame["n"].tolist() == [10, 1, 1]
    assert frame["middle"].dtype == float
    assert not frame.attrs["truncated"]


BIG = 2**53 + 1  # not a float


@pytest.mark.parametrize("beside", ["null", "3", "4611686018427387905"])
def test_integers_stay_exact_integers_beside_anything(found: Studies, beside: str) -> None:
    query = f"SELECT * FROM (SELECT {BIG} AS a, 1 AS place UNION ALL SELECT {beside}, 2) AS both_rows ORDER BY place"
    expected = [BIG, None if beside == "null" else int(beside)]
    assert [row[0] for row in found.sql_rows(query).values] == expected
    frame = found.sql(query)
    assert [None if pd.isna(value) else int(value) for value in frame["a"]] == expected
    assert frame["a"].dtype != float


def test_a_sum_of_integers_is_an_exact_integer(found: Studies) -> None:
    """PostgreSQL gives it as numeric."""
    ((total,),) = found.sql_rows(f"SELECT sum(a) FROM (SELECT {BIG} AS a UNION ALL SELECT 2) AS terms").values
    assert (total, type(total)) == (BIG + 2, int)


def test_query_without_rows_keeps_its_columns(found: Studies) -> None:
    assert list(found.sql("SELECT number, state FROM trial WHERE number > 99").columns) == ["number", "state"]


def test_rows_are_capped_with_a_message(found: Studies) -> None:
    frame = found.sql("SELECT * FROM evaluation", limit=7)
    assert len(frame) == 7
    assert frame.attrs["truncated"]
    assert not found.sql("SELECT number FROM trial", limit=12).attrs["truncated"]


def test_percent_signs_and_colons_are_just_text(found: Studies) -> None:
    assert len(found.sql("SELECT number FROM trial WHERE state LIKE 'COMP%' AND 'a:b' = 'a:b'")) == 10


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM trial",
        "UPDATE study SET seeds = 9",
        "INSERT INTO launch SELECT * FROM launch",
        "DROP VIEW run_metrics",
        "CREATE TABLE mine (id INTEGER)",
        "SELECT 1; DELETE FROM trial",
        "COMMIT; DELETE FROM trial",
        "SELECT 1; COMMIT; BEGIN READ WRITE; DELETE FROM run; COMMIT",
        "SELECT nextval('study_id_seq')",
        "ROLLBACK; BEGIN; DELETE FROM trial; COMMIT",
        "ATTACH DATABASE 'other.db' AS other",
        "VACUUM INTO 'copy.db'",
        "PRAGMA query_only = 0",
        "SELEC 1",
        "SELECT nothing FROM trial",
        "",
    ],
)
def test_anything_but_one_reading_statement_is_refused(
    found: Studies, query: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(ConfigInvalid, match="must be one statement that only reads") as error:
        found.sql(query)
    assert "\n" not in str(error.value)
    assert found.trials("sample-tradeoff")["n"].sum() == 30
    assert found.study("sample-tradeoff").seeds == 3
    assert sorted(tmp_path.iterdir()) == before


def test_endless_query_is_stopped(found: Studies, sampled: Engine) -> None:
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    start = time.monotonic()
    with pytest.raises(QueryTimeout, match=r"within 0\.2 s"):
        read_sql(sampled, endless, 10, seconds=0.2)
    assert time.monotonic() - start < 3
    assert len(found.sql("SELECT 1 AS one")) == 1


def test_limit_below_one_is_refused(found: Studies) -> None:
    with pytest.raises(ConfigInvalid, match="at least 1, got 0"):
        found.sql("SELECT 1", limit=0)


def test_columns_of_one_name_are_numbered(found: Studies) -> None:
    frame = found.sql("SELECT a.number, b.number, 1 AS number_2 FROM trial a JOIN trial b ON b.number = a.number + 1")
    assert list(frame.columns) == ["number", "number_2", "number_2_2"]
    assert (frame["number_2"] == frame["number"] + 1).all()
