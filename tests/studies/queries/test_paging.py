"""Pages by key: every row once, in order, whatever is sorted by, and whatever finished in between."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from studies.errors import TrialNotFound
from studies.queries.studies import Studies
from tests.studies.sample import sample_study

SORTS = [None, "number", "-number", "-final_accuracy", "forgetting", "state", "reason,-number", "method.beta_output",
         "hypernet.task_embedding,-final_accuracy"]  # fmt: skip


@pytest.fixture
def studies(engine: Engine) -> Studies:
    sample_study(engine, n_trials=12, seeds=1, n_tasks=3)
    return Studies(engine)


def numbers(found: Studies, **selection: object) -> list[int]:
    return [row[0] for row in found.trial_rows("sample-tradeoff", columns=["number"], **selection).values]  # type: ignore[arg-type]


def test_pages_joined_are_the_whole_table(studies: Studies) -> None:
    for sort in SORTS:
        whole, joined = numbers(studies, sort=sort), []
        after = None
        while page := numbers(studies, sort=sort, limit=3, after=after):
            joined += page
            after = page[-1]
        assert joined == whole, sort


def test_a_page_keeps_its_condition(studies: Studies) -> None:
    where = "state == 'COMPLETE'"
    whole = numbers(studies, where=where, sort="-final_accuracy")
    assert numbers(studies, where=where, sort="-final_accuracy", after=whole[2]) == whole[3:]


def test_a_page_after_a_trial_that_is_not_there_is_an_error(studies: Studies) -> None:
    with pytest.raises(TrialNotFound, match="has no trial 99"):
        numbers(studies, after=99)
