import threading
import time

import pytest

from sweeps.driver import database_retry
from sweeps.driver.database_retry import DatabaseRetry


def test_each_slow_call_is_reported_once_and_a_fast_one_never(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_retry, "SECONDS_UNTIL_WARNING", 0.3)
    retry, reports = DatabaseRetry(lambda: False), []
    for seconds in (0.0, 0.7, 0.0, 0.7, 0.0):
        retry(time.sleep, seconds, on_slow=lambda seconds=seconds: reports.append(seconds))  # type: ignore[misc]
    assert reports == [0.7, 0.7]


def test_calls_that_follow_one_another_are_watched_by_one_thread_that_ends_after_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(database_retry, "SECONDS_UNTIL_WARNING", 1.0)
    before, retry = set(threading.enumerate()), DatabaseRetry(lambda: False)

    def started() -> frozenset[threading.Thread]:
        return frozenset(threading.enumerate()) - before

    (threads,) = {retry(started) for _ in range(100)}
    (watching,) = threads
    watching.join(timeout=60)
    assert not watching.is_alive()
    assert len(retry(started)) == 1, "the next call is watched again"
