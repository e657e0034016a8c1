"""Narrower ranges are within those of the spec, keep everything else of them, and pass the check of a spec."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hnet_core.errors import ConfigInvalid
from studies.spec.loading import read_spec
from studies.spec.overrides import apply_overrides
from studies.spec.ranges import Choice, FloatRange, IntRange
from studies.spec.spec import SweepSpec
from sweeps.launch.narrowing import narrowed, search_assignments
from sweeps.launch.sources import Source
from sweeps.presets import open_document, preset_names

FLOAT = FloatRange.model_validate({"float": [0.001, 1.0], "log": True, "when": {"method.name": "hnet"}})
INT = IntRange.model_validate({"int": [10, 100], "step": 10})
CHOICE = Choice.model_validate({"choice": [8, "a", [10, 10], True, None]})


@given(st.floats(0.001, 1.0), st.floats(0.001, 1.0))
def test_bounds_within_a_range_replace_its_own_and_nothing_else(a: float, b: float) -> None:
    low, high = sorted((a, b))
    found = narrowed(FLOAT, {"low": low, "high": high})
    assert found.when == FLOAT.when
    if low == high:
        assert isinstance(found, Choice) and found.choice == (low,)
    else:
        assert isinstance(found, FloatRange) and found.bounds == (low, high) and found.log


@given(st.lists(st.sampled_from(CHOICE.choice), min_size=1))
def test_the_choices_kept_are_in_the_order_of_the_spec(wanted: list[Any]) -> None:
    found = narrowed(CHOICE, wanted)
    assert isinstance(found, Choice)
    assert list(found.choice) == [each for each in CHOICE.choice if any(each is one or each == one for one in wanted)]


@pytest.mark.parametrize(
    ("range", "wanted", "text"),
    [
        (FLOAT, {"low": 0.0001}, "within [0.001, 1.0]"),
        (FLOAT, {"high": 2}, "within [0.001, 1.0]"),
        (FLOAT, {"low": 0.5, "high": 0.1}, "within [0.001, 1.0]"),
        (FLOAT, {"low": "x"}, "must be numbers"),
        (FLOAT, {"low": float("nan")}, "must be numbers"),
        (FLOAT, {"low": 10**400}, "must be numbers"),
        (FLOAT, {"low": True}, "must be numbers"),
        (FLOAT, {"least": 0.1}, '"low"'),
        (FLOAT, [0.1], '"low"'),
        (INT, {"low": 10.5}, "whole numbers"),
        (INT, {"low": 10, "high": 95}, "step 10"),
        (INT, {"low": 15, "high": 15}, "must be a value of"),
        (CHOICE, [], "one or more of"),
        (CHOICE, "a", "one or more of"),
        (CHOICE, [9], "must be choices of"),
        (CHOICE, [{"low": 1}], "must be choices of"),
        (CHOICE, {"low": 1}, "one or more of"),
    ],
)
def test_what_is_not_within_a_range_is_refused_with_the_range(range: Any, wanted: Any, text: str) -> None:
    with pytest.raises(ConfigInvalid, match=text.replace("[", r"\[").replace(".", r"\.")):
        narrowed(range, wanted)


@pytest.mark.parametrize("name", preset_names())
def test_the_whole_range_of_every_field_changes_nothing(name: str) -> None:
    spec = Source("preset", name, name).spec()
    whole = {
        field: list(each.choice) if isinstance(each, Choice) else dict(zip(("low", "high"), each.bounds, strict=True))
        for field, each in spec.search.items()
    }
    assert search_assignments(spec, whole) == []


def with_settings(name: str, assignments: Sequence[str]) -> SweepSpec:
    document = open_document(name)
    apply_overrides(document, assignments, SweepSpec.model_fields)
    return read_spec(document)


def test_a_range_of_one_family_is_narrowed_alone() -> None:
    spec = Source("preset", "three_families", "three_families").spec()
    wanted = {"method.beta_output[hypermask]": {"high": 0.1}, "method.freeze_depth": [4, 2]}
    found = with_settings("three_families", search_assignments(spec, wanted))
    assert found.search["method.beta_output[hypermask]"].bounds == (0.0001, 0.1)  # type: ignore[union-attr]
    assert found.search["method.freeze_depth"].choice == (2, 4)  # type: ignore[union-attr]
    same = set(spec.search) - set(wanted)
    assert {name: found.search[name] for name in same} == {name: spec.search[name] for name in same}


def test_enqueued_trials_outside_of_the_new_ranges_are_dropped() -> None:
    spec = Source("preset", "quickstart", "quickstart").spec()
    assignments = search_assignments(spec, {"hypernet.chunk_size": {"high": 300}})
    found = with_settings("quickstart", assignments)
    sizes = [params.get("hypernet.chunk_size") for params in found.enqueue]
    assert sizes == [None, None, 280, 130]
    assert len(spec.enqueue) == 8


def test_every_problem_is_named_with_its_field() -> None:
    spec = Source("preset", "quickstart", "quickstart").spec()
    with pytest.raises(ConfigInvalid) as caught:
        search_assignments(spec, {"data_root": ["/etc"], "hypernet.chunk_size": {"low": 1}, "family": ["joint"]})
    lines = str(caught.value).splitlines()
    assert [line.partition(":")[0] for line in lines] == [
        "search.data_root", "search.hypernet.chunk_size", "search.family",
    ]  # fmt: skip
    assert "it searches family, method.beta_output" in lines[0]
