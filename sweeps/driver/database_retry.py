"""Repeats database calls while the database is unreachable: a server restarts, a file is locked, a disk is full."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from studies.database.connections import DatabaseUnreachable
from sweeps.failures import is_outage

RETRY_SECONDS = 600.0
SECONDS_UNTIL_WARNING = 10.0
LONGEST_PAUSE = 15.0

Result = TypeVar("Result")

log = logging.getLogger("hnet")


class DatabaseRetry:
    """Repeats a call while the database is unreachable, logs that, and gives up after ten minutes.

    A failed call may have been committed before its connection broke. So a call must be idempotent, or `settled` must
    recognise that it was committed.
    """

    def __init__(self, given_up: Callable[[], bool], seconds: float = RETRY_SECONDS) -> None:
        self._given_up = given_up
        self._seconds = seconds
        self._slow_calls = _SlowCalls(SECONDS_UNTIL_WARNING)

    def __call__(
        self,
        call: Callable[..., Result],
        *args: Any,
        settled: Callable[[Exception], Result | None] | None = None,
        on_slow: Callable[[], None] | None = None,
        **options: Any,
    ) -> Result:
        """Return `call(*args, **options)`.

        Args:
            settled: called with another error of a repeated call; its return value, if not None, replaces the result.
            on_slow: called once a call takes longer than ten seconds, instead of a warning of the database.

        Raises:
            DatabaseUnreachable: still unreachable after ten minutes, or the sweep was abandoned.
        """
        start, pause, tries = time.monotonic(), 0.5, 0
        while True:
            try:
                with self._slow_calls.watch(on_slow or warn_of_database):
                    return call(*args, **options)
            except Exception as error:
                if not is_outage(error):
                    result = settled(error) if tries and settled is not None else None
                    if result is None:
                        raise
                    return result
                left = start + self._seconds - time.monotonic()
                if left <= 0 or self._given_up():
                    if isinstance(error, DatabaseUnreachable):
                        raise
                    raise DatabaseUnreachable(
                        f"the database must answer within {self._seconds / 60:.0f} min, got: {_reason(error)}; "
                        "check it and start the same command again."
                    ) from error
                if not tries:
                    log.warning("Waiting up to %.0f min for the database: %s", left / 60, _reason(error))
                tries += 1
                time.sleep(min(pause, left))
                pause = min(2 * pause, LONGEST_PAUSE)


def warn_of_database() -> None:
    log.warning("The database does not answer; the sweep waits for it.")


class _SlowCalls:
    """Calls a function once a block of another thread takes longer than `seconds`.

    A thread looks at the blocks that follow one another, and ends `seconds` after the last: to start one for each would
    cost more than most calls of a database. Blocks must not be nested.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._due: float | None = None  # of the block in progress
        self._function: Callable[[], None] = warn_of_database
        self._is_watched = False

    @contextmanager
    def watch(self, function: Callable[[], None]) -> Iterator[None]:
        with self._lock:
            self._due, self._function = time.monotonic() + self._seconds, function
            is_watched, self._is_watched = self._is_watched, True
        if not is_watched:
            threading.Thread(target=self._watch, daemon=True).start()
        try:
            yield
        finally:
            self._due = None

    def _watch(self) -> None:
        left, pause = self._seconds, threading.Event()
        while True:
            pause.wait(left)
            with self._lock:
                if self._due is None:
                    self._is_watched = False
                    return
                left, function = self._due - time.monotonic(), self._function
                is_slow = left <= 0
                if is_slow:
                    self._due, left = None, self._seconds
            if is_slow:
                function()


def _reason(error: Exception) -> str:
    shown = error if isinstance(error, DatabaseUnreachable) else error.__cause__ or error
    return (str(shown).strip() or type(error).__name__).splitlines()[0]
