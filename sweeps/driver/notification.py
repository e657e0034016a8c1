"""One HTTP POST when a sweep ends, stalls, or is stopped by its guard against failures."""

from __future__ import annotations

import json
import logging
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Literal

from reports.formatting import plural
from studies.spec.notify import shown_address
from sweeps.driver.driver import Driver
from sweeps.driver.stop_signals import Terminated

SECONDS = 5.0
STALL_SECONDS = 1800.0
STALL_FACTOR = 5  # times the longest time between two messages of workers so far
SECONDS_BETWEEN_LOOKS = 10.0
GUARD_EXIT_CODE = 4

Event = Literal["finished", "stopped", "failed", "guard", "stalled"]

log = logging.getLogger("hnet")


@contextmanager
def notifications(address: str | None, driver: Driver) -> Iterator[Callable[[], None]]:
    """Send a notification when the block ends, and once whenever no worker has sent a message for long.

    A notification that cannot be sent is logged, and nothing else.

    Args:
        address: http or https URL; None to send none.

    Yields:
        a function to call with every message of a worker.
    """
    if address is None:
        yield lambda: None
        return
    stalls = _Stalls(address, driver)
    try:
        yield stalls.message_received
    except BaseException as error:
        stalls.end()
        post(address, content(driver, *_of_error(error)))
        raise
    stalls.end()
    post(address, content(driver, *_of_end(driver)))


def content(driver: Driver, event: Event, reason: str) -> dict[str, Any]:
    """Return the JSON object of a notification; `text` is a line for people, which chat services show."""
    counters, name = driver.counters, driver.study.name
    trials = {
        "complete": counters.complete,
        "failed": counters.failed,
        "pruned": counters.pruned,
        "skipped": counters.skipped,
        "running": len(counters.running),
    }
    numbers = ", ".join(f"{number} {state}" for state, number in trials.items() if number)
    return {
        "event": event,
        "study": name,
        "reason": reason,
        "trials": trials,
        "planned": driver.spec.planned_trials,
        "host": socket.gethostname(),
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "text": f"Sweep {name} {event}: {reason}. Trials: {numbers or 'none'}.",
    }


def post(address: str, message: dict[str, Any], seconds: float = SECONDS) -> bool:
    """Send a message as JSON and return whether a server took it within `seconds`; a failure is logged."""
    failures: list[str] = ["no answer"]
    sender = threading.Thread(target=_send, args=(address, message, seconds, failures), daemon=True)
    sender.start()
    sender.join(seconds)  # the timeout of a connection is that of each of its steps
    if failures:
        log.warning("The notification could not be sent to %s: %s.", shown_address(address), failures[-1])
    return not failures


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Takes a redirect, which would repeat the request without its content, for an error."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def _send(address: str, message: dict[str, Any], seconds: float, failures: list[str]) -> None:
    request = urllib.request.Request(
        address, json.dumps(message).encode(), {"Content-Type": "application/json", "User-Agent": "hnet"}, method="POST"
    )
    try:
        urllib.request.build_opener(_NoRedirects).open(request, timeout=seconds).close()
        failures.clear()
    except urllib.error.HTTPError as error:
        failures.append(f"status {error.code}")
    except Exception as error:  # of sockets, TLS, proxies and what answers there: none may end a sweep
        failures.append(str(getattr(error, "reason", None) or error) or type(error).__name__)


def _of_error(error: BaseException) -> tuple[Event, str]:
    if isinstance(error, KeyboardInterrupt):
        return "stopped", "abandoned by Ctrl-C"
    if isinstance(error, Terminated):
        return "stopped", "the process was terminated; the same command resumes it"
    reason = (str(error).strip() or type(error).__name__).splitlines()[0]
    return ("guard" if getattr(error, "exit_code", None) == GUARD_EXIT_CODE else "failed"), reason


def _of_end(driver: Driver) -> tuple[Event, str]:
    if driver.stopping:
        return "stopped", "as requested; the same command resumes it"
    failed = driver.counters.failed
    return "finished", "no trial has failed" if not failed else f"{plural(failed, 'trial')} failed"


class _Stalls:
    """Notices, in a thread, that no worker sends messages any more."""

    def __init__(self, address: str, driver: Driver) -> None:
        self._address, self._driver = address, driver
        self._last, self._longest, self._is_reported = time.monotonic(), 0.0, False
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def message_received(self) -> None:
        now = time.monotonic()
        self._longest = max(self._longest, now - self._last)
        self._last, self._is_reported = now, False

    def end(self) -> None:
        self._over.set()

    def _watch(self) -> None:
        while not self._over.wait(SECONDS_BETWEEN_LOOKS):
            silent = time.monotonic() - self._last
            if self._is_reported or silent < max(STALL_SECONDS, STALL_FACTOR * self._longest):
                continue
            self._is_reported = True
            reason = f"no message of a worker for {silent / 60:.0f} min"
            post(self._address, content(self._driver, "stalled", reason))
