"""The condition language, against Python's own meaning of the same text."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import (
    JSON,
    Column,
    Double,
    Engine,
    Integer,
    MetaData,
    Table,
    Text,
    create_engine,
    literal_column,
    select,
)

from hnet_core.errors import ConfigInvalid
from studies.database.schema import UtcDateTime
from studies.queries.queryable_columns import QueryableColumn, in_json, plain_fields
from studies.queries.where_language import condition

TABLE = Table(
    "numbered",
    MetaData(),
    Column("number", Integer),
    Column("state", Text),
    Column("final_accuracy", Double),
    Column("final_accuracy.low", Double),
    Column("duplicate_of", Integer),
    Column("created_at", UtcDateTime),
    Column("params", JSON),
    prefixes=["TEMPORARY"],
)
NAMES = [column.name for column in TABLE.c]
SEARCHED = ["method.beta_output", "hypernet.activation", "target.hidden", "method.masked"]


def _params(beta: object, activation: object, hidden: object, masked: object) -> dict[str, object]:
    return {k: v for k, v in zip(SEARCHED, (beta, activation, hidden, masked), strict=True) if v != "absent"}


ROWS: list[tuple[Any, ...]] = [
    (0, "COMPLETE", 0.9, 0.8, None, datetime(2026, 5, 1, tzinfo=UTC), _params(0.01, "relu", [100, 100], True)),
    (1, "FAILED", None, None, None, datetime(2026, 5, 2, tzinfo=UTC), _params(0.1, "tanh", [50], False)),
    (2, "COMPLETE", 0.7, 0.6, 0, datetime(2026, 5, 3, tzinfo=UTC), _params(0.01, None, [100, 100], True)),
    (3, None, 0.8, 0.7, None, datetime(2026, 5, 4, tzinfo=UTC), _params(1, "absent", "wide", "absent")),
]


def numbers_where(engine: Engine, text: str, rows: list[tuple[Any, ...]]) -> list[int]:
    """The column number of the rows that meet the condition, as the database finds them."""
    dialect = engine.dialect.name
    fields = plain_fields({column.name: column for column in TABLE.c})
    fields |= {name: in_json(TABLE.c.params, name, dialect) for name in SEARCHED}
    with engine.connect() as connection:
        TABLE.create(connection)
        if rows:
            connection.execute(TABLE.insert(), [dict(zip(NAMES, row, strict=True)) for row in rows])
        query = select(TABLE.c.number).where(condition(text, fields, dialect)).order_by(TABLE.c.number)
        found = list(connection.scalars(query))
        TABLE.drop(connection)
    return found


@pytest.mark.parametrize(
    ("condition", "numbers"),
    [
        ("final_accuracy > 0.75", [0, 3]),
        ("0.75 < final_accuracy <= 0.8", [3]),
        ("final_accuracy.low >= 0.7 and method.beta_output < 0.5", [0]),
        ("state == 'COMPLETE' or number == 3", [0, 2, 3]),
        ("state in ['FAILED', 'PRUNED']", [1]),
        ("number not in (0, 1)", [2, 3]),
        ("not state == 'COMPLETE'", [1, 3]),
        ("not (number > 0 and number < 3)", [0, 3]),
        ("number > -1 and number != 2", [0, 1, 3]),
        ("target.hidden == [100, 100]", [0, 2]),
        ("final_accuracy > final_accuracy.low", [0, 2, 3]),
        ("1 <= number", [1, 2, 3]),
        ("number >= 0 and 1 < 2", [0, 1, 2, 3]),
        # searched values, which may be of any kind
        ("hypernet.activation == 'relu'", [0]),
        ("hypernet.activation is None", [2, 3]),
        ("hypernet.activation in ['relu', None]", [0, 2, 3]),
        ("target.hidden == 'wide'", [3]),
        ("target.hidden != [100, 100]", [1, 3]),
        ("target.hidden < 3", []),
        ("method.beta_output == 1", [3]),
        ("method.beta_output > final_accuracy", [3]),
        ("method.masked == True", [0, 2]),
        # moments
        ("created_at >= '2026-05-03'", [2, 3]),
        ("'2026-05-01 12:00' < created_at < '2026-05-03T12:00:00+00:00'", [1, 2]),
        # missing values
        ("final_accuracy is None", [1]),
        ("final_accuracy == None", [1]),
        ("duplicate_of is not None", [2]),
        ("duplicate_of == 0", [2]),
        ("state != 'COMPLETE'", [1, 3]),
        ("final_accuracy < 2", [0, 2, 3]),
    ],
)
def test_condition_selects_the_rows_it_says(engine: Engine, condition: str, numbers: list[int]) -> None:
    assert numbers_where(engine, condition, ROWS) == numbers


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("final_acuracy > 1", "unknown column 'final_acuracy'; did you mean 'final_accuracy'"),
        ("final_accuracy >", "must be a condition"),
        ("", "must be a condition"),
        ("final_accuracy", "must be a comparison"),
        ("final_accuracy + 1 > 2", "'final_accuracy \\+ 1' must be a column, a number"),
        ("__import__('os').system('touch hacked')", "must be a comparison"),
        ("().__class__ == 1", "must be a column name"),
        ("[n for n in [1]] == 1", "must be a column, a number"),
        ("(number := 3) == 3", "must be a column, a number"),
        ("number == b'x'", "must be a column, a number"),
        ("number == -'x'", "must be a column, a number"),
        ("state < 3", "numbers with numbers"),
        ("number in 3", "numbers with numbers"),
        ("number == 1; number == 2", "must be a condition"),
        ("number == 1\x00", "must be a condition"),
        ("(" * 5000 + "number" + ")" * 5000 + " == 1", "must be a condition"),
        ("not " * 100_000 + "number == 1", "must be a condition"),
        (" or ".join(["number == 1"] * 500), "at most 500 parts"),
        ("state == 'a\\0'", "must be a column, a number"),
        ("state == '\\ud800'", "must be a condition"),
        ("created_at > 'yesterday'", "a moment must be like '2026-11-21 14:30', got 'yesterday'"),
        ("created_at > 3", "numbers with numbers"),
    ],
)
def test_anything_else_is_an_error_that_says_what_was_expected(condition: str, message: str) -> None:
    with pytest.raises(ConfigInvalid, match=message) as error:
        condition_of(condition)
    assert error.value.exit_code == 2
    assert len(str(error.value)) < 700


def condition_of(text: str) -> Any:
    return condition(text, plain_fields({column.name: column for column in TABLE.c}), "sqlite")


def test_values_are_bound_and_never_part_of_the_sql() -> None:
    compiled = condition_of("""state == "'; DROP TABLE trial; --" and number < 7""").compile()
    assert "DROP" not in str(compiled)
    assert "'; DROP TABLE trial; --" in compiled.params.values()


@given(st.text(max_size=30))
def test_any_other_text_is_refused_and_does_nothing(text: str) -> None:
    with suppress(ConfigInvalid):
        condition_of(text)


names = st.sampled_from(["number", "value", "method.beta"])
numbers = st.integers(-3, 3).map(str) | st.floats(-3, 3).map(repr)
texts = st.sampled_from(["'a'", "'b'", '"it\'s"'])
number_test = st.builds(
    " ".join,
    st.tuples(names | numbers, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), names | numbers),
)
chain = st.builds(" < ".join, st.lists(names | numbers, min_size=3, max_size=4))
text_test = st.builds(" ".join, st.tuples(st.just("state"), st.sampled_from(["==", "!=", "<", ">"]), texts))
member = st.builds(
    "{} {} [{}]".format, names, st.sampled_from(["in", "not in"]), st.lists(numbers, max_size=3).map(", ".join)
)
conditions = st.recursive(
    number_test | chain | text_test | member,
    lambda inner: st.one_of(
        st.builds("({} and {})".format, inner, inner),
        st.builds("{} or {}".format, inner, inner),
        st.builds("not ({})".format, inner),
    ),
    max_leaves=6,
)
rows = st.lists(
    st.tuples(st.integers(-3, 3), st.floats(-3, 3), st.integers(-3, 3), st.sampled_from(["a", "b", "it's"])), max_size=5
)


@given(conditions, rows)
@settings(deadline=None)
def test_condition_means_what_it_means_in_python(condition: str, values: list[tuple[Any, ...]]) -> None:
    found = numbers_where(
        create_engine("sqlite://"),
        condition.replace("value", "final_accuracy").replace("method.beta", "method.beta_output"),
        [(i, s, float(v), float(n), None, None, {"method.beta_output": b}) for i, (n, v, b, s) in enumerate(values)],
    )
    expected = [
        i
        for i, (n, v, b, s) in enumerate(values)
        if eval(condition, {}, {"number": i, "value": v, "method": SimpleNamespace(beta=b), "state": s})
    ]
    assert found == expected


def test_a_column_of_a_range_by_family_is_named_with_its_family() -> None:
    column = QueryableColumn({"number": literal_column("beta")})
    made = condition("method.beta_output[hypermask] > 0.5", {"method.beta_output[hypermask]": column}, "sqlite")
    assert "beta > " in str(made)
    with pytest.raises(ConfigInvalid, match=r"unknown column 'method.beta_output\[0\]'|must be"):
        condition("method.beta_output[0] > 0.5", {"method.beta_output[hypermask]": column}, "sqlite")
