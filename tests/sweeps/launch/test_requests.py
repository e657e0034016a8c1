"""A request holds the settings of its source alone, and becomes the words of a command."""

from __future__ import annotations

from typing import Any

import pytest

from hnet_core.errors import ConfigInvalid
from sweeps.launch.requests import make_request
from sweeps.launch.sources import Source

PRESET = Source("preset", "quickstart:smoke", "quickstart:smoke")
TABLE = Source("table", "vonoswald2020:table1", "vonoswald2020:table1")


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
    assert words == ["benchmark", "run", "vonoswald2020:table1", "--scale=smoke", "--workers=1"]
    with pytest.raises(ConfigInvalid, match="unknown: 'search'; known: scale, seeds, workers"):
        make_request(TABLE, {"search": {}})


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
