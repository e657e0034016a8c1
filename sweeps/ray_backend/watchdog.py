"""Notices trials that take longer than their limit, and workers that have fallen silent."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable

from studies.spec.spec import Limits
from sweeps.jobs import Failure

TRIALS_TO_LEARN = 3
TIMES_THE_SLOWEST = 5.0
LEAST_SECONDS = 600.0


class Watchdog:
    """Keeps the time of running jobs by trial number.

    Where no `task_minutes` are set, a worker is taken for hung once it has been silent for five times what the slowest
    whole trial of its method took in this sweep, but never within ten minutes, nor before three of them are COMPLETE;
    each time a trial was taken for hung it is given twice as long, should it only be slow.
    """

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits = limits
        self._clock = clock
        self._begun: dict[int, float] = {}
        self._heard: dict[int, float] = {}
        self._spent: dict[int, float] = {}
        self._methods: dict[int, str] = {}
        self._took: dict[str, list[float]] = {}
        self._hung: Counter[int] = Counter()
        self._overdue: set[int] = set()

    def expect(self, number: int, method: str) -> None:
        """A job is handed out that trains this method."""
        self._methods[number] = method

    def start(self, number: int) -> None:
        """A worker has begun with the job; told again, nothing changes."""
        self._begun.setdefault(number, self._clock())
        self._heard.setdefault(number, self._clock())

    def hear(self, number: int) -> None:
        self._heard[number] = self._clock()

    def stop(self, number: int) -> None:
        """The worker is gone; the job may start again elsewhere, and its time goes on counting."""
        self._hung[number] += number in self._overdue
        self._overdue.discard(number)
        if number in self._begun:
            self._spent[number] = self._spent.get(number, 0.0) + self._clock() - self._begun.pop(number)
            self._heard.pop(number, None)

    def complete(self, number: int) -> None:
        """The job is done, and the time of this attempt tells how long others may take."""
        if number in self._begun:
            took = self._clock() - self._begun[number]
            self._took.setdefault(self._methods.get(number, ""), []).append(took)
        self.stop(number)

    def overdue(self) -> dict[int, Failure]:
        """The jobs to end now, each with the reason."""
        limits, now, found = self._limits, self._clock(), {}
        for number, begun in self._begun.items():
            seconds = self._spent.get(number, 0.0) + now - begun
            if limits.trial_minutes is not None and seconds > 60 * limits.trial_minutes:
                found[number] = Failure(f"took longer than limits.trial_minutes: {limits.trial_minutes:g}")
            elif now - self._heard[number] > self._patience(number):
                found[number] = Failure(f"the worker finished no task within {self._limit(number)}", kind="worker")
        self._overdue |= set(found)
        return found

    def _patience(self, number: int) -> float:
        """Seconds the worker of a job may be silent."""
        if self._limits.task_minutes is not None:
            return 60 * self._limits.task_minutes
        took = self._took.get(self._methods.get(number, ""), [])
        if len(took) < TRIALS_TO_LEARN:
            return math.inf
        return 2.0 ** self._hung[number] * max(LEAST_SECONDS, TIMES_THE_SLOWEST * max(took))

    def _limit(self, number: int) -> str:
        if self._limits.task_minutes is not None:
            return f"limits.task_minutes: {self._limits.task_minutes:g}"
        slowest = max(self._took[self._methods.get(number, "")]) / 60
        minutes = f"{self._patience(number) / 60:.0f} minutes"
        return f"{minutes}, while whole trials took {slowest:.1f} (limits.task_minutes allows more)"
