"""Dotted keys of nested settings."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hnet_core import dotted_keys

KEYS = st.text(alphabet="abc", min_size=1, max_size=2)
SETTINGS = st.recursive(st.integers(), lambda inner: st.dictionaries(KEYS, inner, min_size=1, max_size=3))


@given(st.dictionaries(KEYS, SETTINGS, max_size=3))
def test_flattened_settings_can_be_put_together_again(settings: dict[str, Any]) -> None:
    again: dict[str, Any] = {}
    for key, value in dotted_keys.flatten(settings):
        assert dotted_keys.get(settings, key) == value
        dotted_keys.put(again, key, value)
    assert again == settings


def test_a_key_that_is_not_there_gives_the_default() -> None:
    assert dotted_keys.get({"a": {"b": 1}}, "a.c", None) is None
    assert dotted_keys.get({"a": {"b": 1}}, "a.b.c") is dotted_keys.MISSING
    assert dotted_keys.get({"a.b": {"c": 1}}, ["a.b", "c"]) == 1


def test_a_key_through_a_value_is_refused() -> None:
    settings = {"a": {"b": 1}}
    with pytest.raises(dotted_keys.NotABlock, match="b is a value") as error:
        dotted_keys.put(settings, "a.b.c", 2)
    assert error.value.block == "b"
    assert settings == {"a": {"b": 1}}
