"""The claim of perf/moasha.py on the stored curves, with fewer replays."""

from __future__ import annotations

import pytest

from perf.moasha import Pool, compare


@pytest.mark.slow
def test_early_stopping_covers_more_than_random_search_with_the_same_seconds() -> None:
    row = compare(Pool(), share=0.2, random_share=0.2, replays=3, eta=3)
    assert row.difference > 0.05
    assert row.completed_moasha < row.completed_random


def test_the_stored_curves_are_200_real_runs_of_ten_tasks() -> None:
    pool = Pool()
    assert len(pool.results) == 200
    assert {len(result.test) for result in pool.results} == {10}
    assert 0.05 < min(pool.ratio) < 0.3 and max(pool.ratio) > 1
