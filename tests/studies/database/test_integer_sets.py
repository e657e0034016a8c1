"""Conditions on many integers, on SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Collection

import pytest
from sqlalchemy import Engine, insert, not_, select

from studies.database.integer_sets import one_of
from studies.database.schema import study_tag, trial
from studies.store.store import Store

MORE_THAN_PARAMETERS_OF_A_STATEMENT = 300_000


@pytest.mark.parametrize(
    "numbers", [[], [2], [3, 1, 3], {0, 7}, range(MORE_THAN_PARAMETERS_OF_A_STATEMENT)], ids=lambda n: str(len(n))
)
def test_rows_with_one_of_the_integers_are_found_and_no_others(
    engine: Engine, store: Store, numbers: Collection[int]
) -> None:
    with engine.begin() as connection:
        rows = [{"study_id": number, "tag": "t"} for number in _studies(store)]
        connection.execute(insert(study_tag), rows)
        column = study_tag.c.study_id
        found = connection.scalars(select(column).where(one_of(column, numbers))).all()
        others = connection.scalars(select(column).where(not_(one_of(column, numbers)))).all()
    everything = {row["study_id"] for row in rows}
    assert sorted(found) == sorted(everything & set(numbers))
    assert sorted(others) == sorted(everything - set(numbers))


def test_the_statement_does_not_depend_on_the_integers(engine: Engine) -> None:
    """A connection keeps a prepared statement for each text."""
    few, many = (str(select(trial).where(one_of(trial.c.number, n)).compile(engine)) for n in ([1], range(1000)))
    assert few == many


def _studies(store: Store) -> list[int]:
    return [store.create_study(name, {"study": name}, seeds=1) for name in "abcd"]
