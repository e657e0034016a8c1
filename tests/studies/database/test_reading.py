"""Engines for reading alone: nothing can be written, and no query takes longer than it may."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from hnet_core.errors import HnetError
from studies.database.reading import connect_for_reading
from studies.database.size import size_of
from studies.errors import QueryTimeout
from studies.queries.studies import Studies
from tests.studies.sample import sample_study

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000) SELECT count(*) FROM n"


@pytest.fixture
def reader(engine: Engine) -> Engine:
    sample_study(engine, n_trials=3, seeds=2, n_tasks=3)
    return connect_for_reading(engine.url.render_as_string(hide_password=False), 0.3)


def test_it_reads_and_cannot_write(reader: Engine) -> None:
    assert Studies(reader).trial_counts("sample-tradeoff").total == 3
    with pytest.raises((DBAPIError, HnetError)), reader.begin() as connection:
        connection.execute(text("DELETE FROM study"))
    assert Studies(reader).names() == ["sample-tradeoff"]
    reader.dispose()


def test_a_query_that_takes_too_long_is_stopped_and_the_next_one_works(reader: Engine) -> None:
    with pytest.raises(QueryTimeout, match="time limit"), reader.connect() as connection:
        connection.execute(text(ENDLESS)).all()
    assert Studies(reader).names() == ["sample-tradeoff"]
    reader.dispose()


def test_the_size_of_a_database_counts_its_rows(reader: Engine) -> None:
    size = size_of(reader)
    assert size.bytes > 10_000
    assert size.revision == "0008"
    assert size.rows == {"study": 1, "launch": 1, "trial": 3, "run": 6}
    reader.dispose()
