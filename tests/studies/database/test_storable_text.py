"""Texts from outside are stored whatever they hold, on SQLite and PostgreSQL."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from studies.database.storable_text import storable
from studies.queries.studies import Studies
from studies.store.admin import tag_study
from studies.store.store import Store
from studies.store.suggested_trial import SuggestedTrial

BAD = "caf\udce9 \0 \ud83d end é"
STORED = "caf\\udce9 \\x00 \\ud83d end é"
ANY_TEXT = st.text(st.characters(), max_size=20)


@given(ANY_TEXT)
def test_any_text_becomes_one_that_is_valid_unicode_without_nul(text: str) -> None:
    stored = storable(text)
    assert "\0" not in stored
    assert stored.encode() and storable(stored) == stored if stored else text == ""
    if "\0" not in text and not any(0xD800 <= ord(character) < 0xE000 for character in text):
        assert stored == text


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | ANY_TEXT, lambda of: st.lists(of) | st.dictionaries(ANY_TEXT, of)
    )
)
@settings(max_examples=30)  # drawing nested values takes longer than the function
def test_texts_are_replaced_at_every_depth_of_json(value: Any) -> None:
    json.dumps(storable(value), ensure_ascii=False).encode()


@pytest.mark.parametrize("field", ["reason", "traceback"])
def test_a_failure_keeps_its_text_escaped(engine: Engine, field: str) -> None:
    store = Store(engine)
    study_id, launch_id = _study(store)
    store.start_trial(study_id, 0, _trial(), launch_id=launch_id, attempt=1)
    store.fail_trial(study_id, 0, 1, **{"reason": "x", "traceback": None, field: BAD})  # type: ignore[arg-type]
    assert Studies(engine).ledger("s")[0][field] == STORED  # type: ignore[literal-required]


def test_configuration_provenance_and_notes_keep_their_text_escaped(engine: Engine) -> None:
    store = Store(engine)
    study_id, launch_id = _study(store)
    store.start_trial(study_id, 0, _trial(), launch_id=launch_id, attempt=1)
    tag_study(engine, "s", add=["t\udce9"])
    row, record = Studies(engine).ledger("s")[0], Studies(engine).study("s")
    assert (row["config"], row["params"]) == ({"method": {"name": STORED}}, {STORED: STORED})
    assert record.spec == {"study": "s", "objectives": {STORED: "maximize"}}
    assert record.launches[0]["spec_text"] == record.launches[0]["command_line"] == STORED
    assert list(Studies(engine).studies()["tags"]) == ["t\\udce9"]


def test_a_study_with_such_a_name_is_found_by_that_name(engine: Engine) -> None:
    store = Store(engine)
    store.create_study("n\0\udce9", {}, 1)
    found = store.find_study("n\0\udce9")
    assert found is not None and found["name"] == "n\\x00\\udce9"


def _study(store: Store) -> tuple[int, int]:
    study_id = store.create_study("s", {"study": "s", "objectives": {BAD: "maximize"}}, 1)
    return study_id, store.record_launch(study_id, {"spec_text": BAD, "command_line": BAD, "host": BAD})


def _trial() -> SuggestedTrial:
    return SuggestedTrial({"method": {"name": BAD}}, "0" * 16, {BAD: BAD}, "accuracy", None)
