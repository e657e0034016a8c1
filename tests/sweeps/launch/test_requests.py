"""A request holds the settings of its source alone, and becomes the words of a command."""

from __future__ import annotations

from typing import Any

import pytest

from hnet_core.errors import ConfigInvalid
from sweeps.launch.requests import make_request
from sweeps.launch.sources import Source

PRESET = Source("preset", "quickstart:smoke", "quickstart:smoke")
TABLE = Source("table", "mine:t1", "mine:t1", rows=("A,B", "C", "D"), columns=("during", "after"))


def test_settings_become_the_options_of_the_command() -> None:
    wanted = {
        "study": "mine",
        "search": {"hypernet.task_embedding": [8]},
        "trials": 5,
        "hours": 1.5,
        "seeds": 3,
        "workers": 2,
    }
    words = make_request(PRESET, wanted).words("run")
    assert words[:5] == ["sweep", "run", "quickstart:smoke", "--study=mine", "--workers=2"]
    settings = [word for word in words[5:] if word != "--set"]
    assert settings[0].startswith('search.hypernet.task_embedding={"when"') or "[8]" in settings[0]
    assert settings[-3:] == ["budget.trials=5", "budget.hours=1.5", "seeds=3"]


def test_settings_as_in_the_source_are_left_out() -> None:
    assert make_request(PRESET, {"trials": 2, "seeds": 1, "search": {}}).words("check") == [
        "sweep",
        "check",
        "quickstart:smoke",
    ]


def test_a_table_has_a_scale_and_no_ranges() -> None:
    words = make_request(TABLE, {"scale": "smoke", "workers": 1}).words("run")
    assert words == ["benchmark", "run", "mine:t1", "--scale=smoke", "--workers=1"]
    with pytest.raises(ConfigInvalid, match="unknown: 'search'; known: scale, seeds, workers, rows, columns"):
        make_request(TABLE, {"search": {}})


def test_rows_and_columns_become_names_in_the_order_of_the_table() -> None:
    wanted = make_request(TABLE, {"rows": ["C", "A,B", "C"], "columns": ["after"]})
    assert wanted.values == {"rows": ["A,B", "C"], "columns": ["after"]}
    assert wanted.words("run") == ["benchmark", "run", "mine:t1", "--rows=A,B,C", "--columns=after"]
    assert wanted.words("check")[1:] == ["check", *wanted.words("run")[2:]]
    everything = make_request(TABLE, {"rows": ["D", "C", "A,B"], "columns": ["during", "after"]})
    assert everything.words("run") == ["benchmark", "run", "mine:t1"], "all of them are the table itself"


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"rows": ["A"]}, "rows: the table has no 'A'"),
        ({"rows": ["C", "../../etc/passwd"]}, "rows: the table has no '../../etc/passwd'"),
        ({"columns": ["aftr"]}, "columns: the table has no 'aftr'; did you mean 'after'"),
        ({"rows": []}, "rows must be a list of one or more rows of the table"),
        ({"rows": "C"}, "rows must be a list"),
        ({"rows": {"C": 1}}, "rows must be a list"),
        ({"columns": [1]}, "columns must be a list"),
        ({"rows": ["A"], "columns": ["B"]}, "known: A,B, C, D.\ncolumns: the table has no 'B'"),
    ],
)
def test_a_row_or_column_that_the_table_lacks_is_refused(values: dict[str, Any], text: str) -> None:
    with pytest.raises(ConfigInvalid) as found:
        make_request(TABLE, values)
    assert text in str(found.value)


def test_names_that_would_be_taken_for_another_one_are_refused() -> None:
    table = Source("table", "t", "t", rows=("A", "B", "A,B", "C"))
    with pytest.raises(ConfigInvalid, match="A, B would be taken for fewer names"):
        make_request(table, {"rows": ["A", "B"]})
    assert make_request(table, {"rows": ["A,B", "C"]}).words("run")[-1] == "--rows=A,B,C"


def test_a_spec_has_no_rows() -> None:
    with pytest.raises(ConfigInvalid, match="unknown: 'rows'"):
        make_request(PRESET, {"rows": ["A"]})


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"data": "/etc"}, "unknown: 'data'; known: study, search, trials, hours, seeds, workers"),
        ({"db": "sqlite:///x", "set": ["a=1"]}, "unknown: 'db', 'set'; known"),
        ({"trials": 0}, "trials must be a whole number from 1"),
        ({"trials": "5; rm -rf /"}, "trials must be a whole number"),
        ({"trials": True}, "trials must be a whole number"),
        ({"seeds": 10**30}, "seeds must be a whole number"),
        ({"workers": 1.5}, "workers must be a whole number"),
        ({"hours": float("nan")}, "hours must be a number above 0"),
        ({"hours": -1}, "hours must be a number above 0"),
        ({"study": "a\nb"}, "study must be a name"),
        ({"study": "--db=x"}, "study must not begin with a minus"),
        ({"study": "x" * 201}, "study must be a name"),
        ({"study": ["x"]}, "study must be a name"),
        ({"search": "method"}, "search must be an object"),
        ({"search": {"trial.stream.path": ["/etc"]}}, "is not searched by this sweep"),
    ],
)
def test_anything_else_is_refused_with_what_is_known(values: dict[str, Any], text: str) -> None:
    with pytest.raises(ConfigInvalid, match=text):
        make_request(PRESET, values)
