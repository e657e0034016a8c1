"""Ends a running sweep on Ctrl-C, SIGTERM, SIGHUP, a request to stop, or the loss of its lease."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sweeps.driver.driver import Driver

TERMINATED = 128 + signal.SIGTERM
SECONDS_TO_EXIT = 20.0  # Tune needs up to 10 to end workers that are only starting

log = logging.getLogger("hnet")


class Terminated(BaseException):
    """SIGTERM or SIGHUP was received; the process exits at once, since checkpoints make that safe."""


class StopSignals:
    """Signal handlers: Ctrl-C lets running trials finish, twice abandons them; SIGTERM, SIGHUP or a lost lease abort.

    Attributes:
        stopped: whether a stop was requested before the budget was spent.
        interrupted: whether that was Ctrl-C.
    """

    def __init__(self) -> None:
        self.stopped = False
        self.interrupted = False
        self._driver: Driver | None = None
        self._why: BaseException | None = None
        self._old: dict[int, Any] = {}
        self._old_wakeup = -1
        self._wakeup: socket.socket | None = None

    def __enter__(self) -> StopSignals:
        with contextlib.suppress(ValueError):  # not in the main thread: the caller keeps its own handlers
            self._old[signal.SIGINT] = signal.signal(signal.SIGINT, self._on_interrupt)
            self._old[signal.SIGTERM] = signal.signal(signal.SIGTERM, self._on_terminate)
            if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # else nohup keeps it alive without its terminal
                self._old[signal.SIGHUP] = signal.signal(signal.SIGHUP, self._on_terminate)
            self._wakeup, received = socket.socketpair()
            self._wakeup.setblocking(False)
            self._old_wakeup = signal.set_wakeup_fd(self._wakeup.fileno(), warn_on_full_buffer=False)
            threading.Thread(target=exit_when_terminated, args=(received,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._old.items():
            signal.signal(number, handler)
        if self._wakeup is not None:
            signal.set_wakeup_fd(self._old_wakeup)
            self._wakeup.close()

    def attach(self, driver: Driver) -> None:
        """Set the driver to stop; a request or signal that arrived before is applied now."""
        self._driver = driver
        if self._why is not None:
            driver.abort(self._why)
        driver.stopping = driver.stopping or self.stopped

    def stop(self) -> None:
        """Let the running trials finish and start no more."""
        self.stopped = True
        if self._driver is not None:
            self._driver.stopping = True
            log.info("Stopping: waiting for %d running trials.", len(self._driver.counters.running))

    def lease_lost(self, error: BaseException) -> None:
        """Abort without writing anything more."""
        self._abort(error)

    def _abort(self, why: BaseException) -> None:
        """Abort through the driver: an exception raised inside Ray's native code would be swallowed."""
        self._why = why
        if self._driver is not None:
            self._driver.abort(why)

    def _on_interrupt(self, *_: object) -> None:
        if self.stopped:
            self._abort(KeyboardInterrupt())
            return
        self.interrupted = True
        self.stop()
        log.info("Press Ctrl-C again to abandon them; they then resume from their last finished task.")

    def _on_terminate(self, *_: object) -> None:
        # While Ray starts, its native handler is called before this one: it sets an alarm that aborts the process 3 s
        # later, with exit code 134.
        signal.alarm(0)
        self._abort(Terminated())


def exit_when_terminated(numbers: socket.socket) -> None:
    """End the process some time after SIGTERM or SIGHUP, if it has not ended by then.

    If the entire process group got the signal, Ray has exited too. Its native code then waits for it for a minute or
    more, and no handler in Python runs meanwhile.

    Args:
        numbers: gets a byte for each signal that has a handler in Python, also while the main thread is in native
            code; closed where the sweep has ended.
    """
    with numbers:
        while received := numbers.recv(1):
            if received[0] in (signal.SIGTERM, signal.SIGHUP):
                time.sleep(SECONDS_TO_EXIT)
                os._exit(TERMINATED)
