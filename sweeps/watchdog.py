"""Notices trials that take longer than their limit, and workers that have fallen silent."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from sweeps.jobs import Failure
from sweeps.spec import Limits

TRIALS_TO_LEARN = 3
TIMES_THE_SLOWEST = 5.0
LEAST_SECONDS = 600.0


class Watchdog:
    """Keeps the time of running jobs by trial number.

    Where no `task_minutes` are set, a worker is taken for hung once it has been silent for five times what the slowest
    whole trial of this sweep took, but never within ten minutes, nor before three trials have finished.
    """

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits = limits
        self._clock = clock
        self._begun: dict[int, float] = {}
        self._heard: dict[int, float] = {}
        self._spent: dict[int, float] = {}
        self._finished: list[float] = []

    def start(self, number: int) -> None:
        """A worker has begun with the job; told again, nothing changes."""
        self._begun.setdefault(number, self._clock())
        self._heard.setdefault(number, self._clock())

    def hear(self, number: int) -> None:
        self._heard[number] = self._clock()

    def stop(self, number: int) -> None:
        """The worker is gone; the job may start again elsewhere, and its time goes on counting."""
        if number in self._begun:
            self._spent[number] = self._spent.get(number, 0.0) + self._clock() - self._begun.pop(number)
            self._heard.pop(number, None)

    def finish(self, number: int) -> None:
        """The job is done, and the time of this attempt tells how long others may take."""
        if number in self._begun:
            self._finished.append(self._clock() - self._begun[number])
        self.stop(number)

    def overdue(self) -> dict[int, Failure]:
        """The jobs to end now, each with the reason."""
        limits, now, found = self._limits, self._clock(), {}
        patience = self._patience()
        for number, begun in self._begun.items():
            seconds = self._spent.get(number, 0.0) + now - begun
            silent = now - self._heard[number]
            if limits.trial_minutes is not None and seconds > 60 * limits.trial_minutes:
                found[number] = Failure(f"took longer than limits.trial_minutes: {limits.trial_minutes:g}")
            elif silent > patience:
                found[number] = Failure(f"the worker finished no task within {self._why()}", kind="worker")
        return found

    def _patience(self) -> float:
        """Seconds a worker may be silent."""
        if self._limits.task_minutes is not None:
            return 60 * self._limits.task_minutes
        if len(self._finished) < TRIALS_TO_LEARN:
            return math.inf
        return max(LEAST_SECONDS, TIMES_THE_SLOWEST * max(self._finished))

    def _why(self) -> str:
        if self._limits.task_minutes is not None:
            return f"limits.task_minutes: {self._limits.task_minutes:g}"
        minutes = f"{self._patience() / 60:.0f} minutes"
        return f"{minutes}, while whole trials take {max(self._finished) / 60:.1f} (limits.task_minutes allows more)"
