"""Notices trials that take longer than their limit, and workers that have fallen silent."""

from __future__ import annotations

import time
from collections.abc import Callable

from sweeps.jobs import Failure
from sweeps.spec import Limits


class Watchdog:
    """Keeps the time of running jobs by trial number."""

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits = limits
        self._clock = clock
        self._begun: dict[int, float] = {}
        self._heard: dict[int, float] = {}
        self._spent: dict[int, float] = {}

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

    def overdue(self) -> dict[int, Failure]:
        """The jobs to end now, each with the reason."""
        limits, now, found = self._limits, self._clock(), {}
        for number, begun in self._begun.items():
            seconds = self._spent.get(number, 0.0) + now - begun
            silent = now - self._heard[number]
            if limits.trial_minutes is not None and seconds > 60 * limits.trial_minutes:
                found[number] = Failure(f"took longer than limits.trial_minutes: {limits.trial_minutes:g}")
            elif limits.task_minutes is not None and silent > 60 * limits.task_minutes:
                reason = f"the worker finished no task within limits.task_minutes: {limits.task_minutes:g}"
                found[number] = Failure(reason, kind="worker")
        return found
