"""What Ctrl-C, SIGTERM, a request to stop and a lost lease do to a running sweep."""

from __future__ import annotations

import contextlib
import logging
import signal
from typing import TYPE_CHECKING, Any

from hnet_core.errors import HnetError

if TYPE_CHECKING:
    from sweeps.driver import Driver

log = logging.getLogger("hnet")


class Terminated(BaseException):
    """SIGTERM arrived; checkpoints make it safe to leave at once."""


class StopSignals:
    """Ctrl-C lets the running trials finish, twice abandons them; SIGTERM leaves at once; a lost lease ends it all.

    Attributes:
        driver: what to stop, once there is one.
        stopped: whether somebody asked to stop before the budget was spent.
        interrupted: whether that was Ctrl-C.
    """

    def __init__(self) -> None:
        self.driver: Driver | None = None
        self.stopped = False
        self.interrupted = False
        self._old: dict[int, Any] = {}

    def __enter__(self) -> StopSignals:
        with contextlib.suppress(ValueError):  # not in the main thread: the caller keeps its own handlers
            self._old[signal.SIGINT] = signal.signal(signal.SIGINT, self._on_interrupt)
            self._old[signal.SIGTERM] = signal.signal(signal.SIGTERM, self._on_terminate)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._old.items():
            signal.signal(number, handler)

    def stop(self) -> None:
        """Let the running trials finish and start no more."""
        self.stopped = True
        if self.driver is not None:
            self.driver.stopping = True
            log.info("Stopping: waiting for %d running trials.", len(self.driver.tally.running))

    def lose(self, error: HnetError) -> None:
        """The lease is gone: write nothing more."""
        self._abort(error)

    def _abort(self, why: BaseException) -> None:
        """An exception raised inside Ray's native code would be lost, so the driver carries it out."""
        if self.driver is None:
            raise why
        self.driver.abort(why)

    def _on_interrupt(self, *_: object) -> None:
        if self.stopped or self.driver is None:
            self._abort(KeyboardInterrupt())
            return
        self.interrupted = True
        self.stop()
        log.info("Press Ctrl-C again to abandon them; they then go on from their last finished task.")

    def _on_terminate(self, *_: object) -> None:
        self._abort(Terminated())
