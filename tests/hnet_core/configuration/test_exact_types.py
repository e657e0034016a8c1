"""Numbers are written as numbers and truth values as true or false, at every depth of a setting."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from pydantic import Field, ValidationError

from hnet_core.trial import Options


class Inner(Options):
    count: int = 1


class Every(Options):
    whole: int = 1
    number: float = 1
    flag: bool = False
    word: str = ""
    maybe: int | None = None
    mixed: bool | Literal["auto"] = "auto"
    widths: tuple[int, ...] | None = None
    ends: tuple[float, float] = (0, 1)
    by_name: dict[str, float] = Field(default={})
    inner: Inner = Inner()


TAKEN: dict[str, list[Any]] = {
    "whole": [8, 1e3],
    "number": [0.5, 1],
    "flag": [True],
    "word": ["8"],
    "maybe": [None, 3],
    "mixed": ["auto", True],
    "widths": [None, [], [1, 2]],
    "ends": [[0, 0.5]],
    "by_name": [{"a": 1}],
    "inner": [{"count": 2}],
}
REFUSED: dict[str, list[Any]] = {
    "whole": ["8", True, 1.5, None, float("inf")],
    "number": ["0.5", True, None],
    "flag": ["yes", "true", 1, 0.0],
    "word": [8, True],
    "maybe": ["3", True, "null"],
    "mixed": ["yes", 1, "on"],
    "widths": [["1"], [True], [1.5], "12"],
    "ends": [["0", 1], [0, True]],
    "by_name": [{"a": "1"}, {"a": True}],
    "inner": [{"count": "2"}],
}


@pytest.mark.parametrize(("key", "value"), [(key, value) for key, values in TAKEN.items() for value in values])
def test_a_value_of_the_type_is_taken(key: str, value: Any) -> None:
    assert Every.model_validate({key: value})


@pytest.mark.parametrize(("key", "value"), [(key, value) for key, values in REFUSED.items() for value in values])
def test_a_value_that_could_only_be_converted_is_refused(key: str, value: Any) -> None:
    with pytest.raises(ValidationError):
        Every.model_validate({key: value})
