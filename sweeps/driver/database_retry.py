"""Waits out a database that is away: a server that restarts, a locked file, a disk that is full for a moment."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from studies.database.connections import DatabaseUnreachable

RETRY_SECONDS = 600.0
SECONDS_UNTIL_WORD = 10.0
LONGEST_PAUSE = 15.0

Result = TypeVar("Result")

log = logging.getLogger("hnet")


class DatabaseRetry:
    """Repeats a call while the database is away, says so, and gives up after ten minutes.

    A call may have been carried out although its answer was lost, so what is repeated must bear being done twice, or
    `settled` must tell that it was done.
    """

    def __init__(self, given_up: Callable[[], bool], seconds: float = RETRY_SECONDS) -> None:
        self._given_up = given_up
        self._seconds = seconds

    def __call__(
        self,
        call: Callable[..., Result],
        *args: Any,
        settled: Callable[[Exception], Result | None] | None = None,
        **options: Any,
    ) -> Result:
        """The result of `call(*args, **options)`.

        Args:
            settled: asked about an error after a repetition; what it returns, if not None, is the result instead.

        Raises:
            DatabaseUnreachable, StorageInternalError: still away after ten minutes, or the sweep was abandoned.
        """
        from optuna.exceptions import StorageInternalError

        start, pause, tries = time.monotonic(), 0.5, 0
        while True:
            try:
                with _word_after(SECONDS_UNTIL_WORD):
                    return call(*args, **options)
            except (DatabaseUnreachable, StorageInternalError) as error:
                left = start + self._seconds - time.monotonic()
                if left <= 0 or self._given_up():
                    raise
                if not tries:
                    log.warning("Waiting up to %.0f min for the database: %s", left / 60, _reason(error))
                tries += 1
                time.sleep(min(pause, left))
                pause = min(2 * pause, LONGEST_PAUSE)
            except Exception as error:
                result = settled(error) if tries and settled is not None else None
                if result is None:
                    raise
                return result


class _word_after:
    """Says that the database takes long to answer, while it does."""

    def __init__(self, seconds: float) -> None:
        self._timer = threading.Timer(seconds, log.warning, ("The database does not answer; the sweep waits for it.",))
        self._timer.daemon = True

    def __enter__(self) -> None:
        self._timer.start()

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()


def _reason(error: Exception) -> str:
    return (str(error.__cause__ or error).strip() or type(error).__name__).splitlines()[0]
