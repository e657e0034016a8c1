from __future__ import annotations

import math

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import StatementError

from hnet_core.errors import ConfigInvalid
from studies.database.connections import DatabaseUnreachable
from studies.database.integrity import check_database
from studies.queries.studies import Studies
from studies.store.admin import remove_study
from studies.store.store import Store
from tests.studies.sample import sample_study


def test_no_way_into_a_database_writes_nan_as_json(engine: Engine) -> None:
    for value in (math.nan, math.inf, [-math.inf]):
        with pytest.raises((StatementError, ValueError), match="not JSON compliant"):
            Store(engine).create_study("s", {"value": value}, 1)
    assert Studies(engine).names() == []


def test_a_check_finds_settings_that_are_no_json_and_the_study_can_be_removed(sqlite_engine: Engine) -> None:
    for name in ("whole", "it's bad"):
        sample_study(sqlite_engine, 3, name=name)
    with sqlite_engine.begin() as connection:
        connection.execute(
            text(
                "UPDATE trial SET params = '{\"x\": Infinity}', config = '{\"x\": NaN}' "
                "WHERE number = 1 AND study_id = (SELECT id FROM study WHERE name = 'it''s bad')"
            )
        )
    with pytest.raises(
        DatabaseUnreachable, match="must hold settings in JSON, got: malformed JSON; find them: hnet db"
    ):
        Studies(sqlite_engine).configurations()
    problems = check_database(sqlite_engine).problems
    assert problems == [
        f'trial 1 of "it\'s bad" has a {column} that is no JSON (NaN or infinity); remove the study '
        "(hnet study rm 'it'\"'\"'s bad') and import it again"
        for column in ("config", "params")
    ]
    remove_study(sqlite_engine, "it's bad")
    assert check_database(sqlite_engine).problems == []
    assert len(Studies(sqlite_engine).configurations()) == 3


def test_a_condition_with_a_number_that_json_does_not_know_is_refused(engine: Engine) -> None:
    name = sample_study(engine, 3)
    with pytest.raises(ConfigInvalid, match="--where must be a condition"):
        Studies(engine).trials(name, where="hypernet.chunk_size == [1e999]")
