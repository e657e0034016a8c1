"""Errors about unknown names."""

from __future__ import annotations

from hnet_core.registry import MAX_NAMED, did_you_mean


def test_few_known_names_are_all_listed() -> None:
    assert did_you_mean("hnt", ["ewc", "hnet"]) == "; did you mean 'hnet'? known: ewc, hnet"
    assert did_you_mean("other", ["ewc", "hnet"]) == "; known: ewc, hnet"


def test_of_many_known_names_the_closest_are_listed_and_where_all_are() -> None:
    names = [f"preset{n:03}" for n in range(MAX_NAMED + 1)]
    shown = did_you_mean("preset_007", names, all_in="hnet list presets")
    assert shown.startswith("; did you mean 'preset007'? closest of 16: preset007, ")
    assert shown.endswith("; all: hnet list presets")
    assert shown.count("preset0") == 6
    assert did_you_mean("01", names) == "; closest of 16: preset001, preset010, preset011, preset012, preset013"
    assert did_you_mean("x", names, all_in="docs/schema.md") == "; none of 16 is like it; all: docs/schema.md"
