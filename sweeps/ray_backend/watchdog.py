"""Detects trials that exceed their time limit, and workers that send no messages."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable

from studies.spec.spec import Limits
from sweeps.jobs import Failure

MIN_COMPLETE_TRIALS = 3
TIMES_THE_SLOWEST = 5.0
MIN_SECONDS = 600.0


class Watchdog:
    """Timers of running jobs by trial number.

    Without `task_minutes`, a worker counts as hung if it sends no message for five times the duration of the slowest
    COMPLETE trial of its method in this sweep, but never within ten minutes, nor before three such trials are COMPLETE.
    Each time a trial counts as hung, its limit is doubled, in case it is only slow.
    """

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits = limits
        self._clock = clock
        self._begun: dict[int, float] = {}
        self._last_message: dict[int, float] = {}
        self._spent: dict[int, float] = {}
        self._methods: dict[int, str] = {}
        self._took: dict[str, list[float]] = {}
        self._hung: Counter[int] = Counter()
        self._overdue: set[int] = set()

    def expect(self, number: int, method: str) -> None:
        """Register a job that was handed out, with its method."""
        self._methods[number] = method

    def start(self, number: int) -> None:
        """Start the timer of a job; calling it again changes nothing."""
        self._begun.setdefault(number, self._clock())
        self._last_message.setdefault(number, self._clock())

    def message_received(self, number: int) -> None:
        self._last_message[number] = self._clock()

    def stop(self, number: int) -> None:
        """Stop the timer of a job whose worker has ended; a further attempt adds to its time."""
        self._hung[number] += number in self._overdue
        self._overdue.discard(number)
        if number in self._begun:
            self._spent[number] = self._spent.get(number, 0.0) + self._clock() - self._begun.pop(number)
            self._last_message.pop(number, None)

    def complete(self, number: int) -> None:
        """Stop the timer of a finished job and use its duration for the limit of others."""
        if number in self._begun:
            took = self._clock() - self._begun[number]
            self._took.setdefault(self._methods.get(number, ""), []).append(took)
        self.stop(number)

    def overdue(self) -> dict[int, Failure]:
        """Return the jobs to end now, each with the reason."""
        limits, now, found = self._limits, self._clock(), {}
        for number, begun in self._begun.items():
            seconds = self._spent.get(number, 0.0) + now - begun
            if limits.trial_minutes is not None and seconds > 60 * limits.trial_minutes:
                found[number] = Failure(f"took longer than limits.trial_minutes: {limits.trial_minutes:g}")
            elif now - self._last_message[number] > self._silence_limit(number):
                found[number] = Failure(f"the worker finished no task within {self._limit(number)}", kind="worker")
        self._overdue |= set(found)
        return found

    def _silence_limit(self, number: int) -> float:
        """Seconds without a message after which the worker of a job counts as hung."""
        if self._limits.task_minutes is not None:
            return 60 * self._limits.task_minutes
        took = self._took.get(self._methods.get(number, ""), [])
        if len(took) < MIN_COMPLETE_TRIALS:
            return math.inf
        return 2.0 ** self._hung[number] * max(MIN_SECONDS, TIMES_THE_SLOWEST * max(took))

    def _limit(self, number: int) -> str:
        if self._limits.task_minutes is not None:
            return f"limits.task_minutes: {self._limits.task_minutes:g}"
        slowest = max(self._took[self._methods.get(number, "")]) / 60
        minutes = f"{self._silence_limit(number) / 60:.0f} minutes"
        return f"{minutes}, while entire trials took {slowest:.1f} (limits.task_minutes allows more)"
