"""The condition language, against Python's own meaning of the same text."""

from __future__ import annotations

import ast
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hnet_core.errors import ConfigInvalid
from studies.where import matching

FRAME = pd.DataFrame(
    {
        "number": [0, 1, 2, 3],
        "state": ["COMPLETE", "FAILED", "COMPLETE", None],
        "final_accuracy": [0.9, np.nan, 0.7, 0.8],
        "final_accuracy.low": [0.8, np.nan, 0.6, 0.7],
        "method.beta_output": [0.01, 0.1, 0.01, 1.0],
        "duplicate_of": pd.array([None, None, 0, None], dtype="Int64"),
        "target.hidden": [[100, 100], [50], [100, 100], [10]],
    }
)


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
        # missing values
        ("final_accuracy is None", [1]),
        ("final_accuracy == None", [1]),
        ("duplicate_of is not None", [2]),
        ("duplicate_of == 0", [2]),
        ("state != 'COMPLETE'", [1, 3]),
        ("final_accuracy < 2", [0, 2, 3]),
    ],
)
def test_condition_selects_the_rows_it_says(condition: str, numbers: list[int]) -> None:
    assert FRAME["number"][matching(condition, FRAME)].tolist() == numbers
    assert matching(condition, FRAME.iloc[:0]).tolist() == []


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("final_acuracy > 1", "no column 'final_acuracy'; did you mean 'final_accuracy'"),
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
    ],
)
def test_anything_else_is_an_error_that_says_what_was_expected(condition: str, message: str) -> None:
    with pytest.raises(ConfigInvalid, match=message) as error:
        matching(condition, FRAME)
    assert error.value.exit_code == 2


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
def test_condition_means_what_it_means_in_python(condition: str, values: list[tuple[Any, ...]]) -> None:
    ast.parse(condition, mode="eval")
    frame = pd.DataFrame(values, columns=["number", "value", "method.beta", "state"])
    expected = [
        bool(eval(condition, {}, {"number": n, "value": v, "method": SimpleNamespace(beta=b), "state": s}))
        for n, v, b, s in values
    ]
    assert matching(condition, frame).tolist() == expected
