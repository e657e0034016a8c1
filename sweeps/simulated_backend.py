"""A backend that replays known results on a simulated clock, to test scheduling in milliseconds."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from typing import Protocol

from hnet_core.trial import TrialResult
from sweeps.jobs import Job, JobProgress, Message, Success


class JobSource(Protocol):
    """A source of jobs: a Driver, or a stand-in without a database."""

    def next_job(self) -> Job | None:
        """Return the next job, None if there is none now."""


def simulate(
    source: JobSource,
    workers: int,
    on_message: Callable[[int, Message], bool],
    result_of: Callable[[Job, int], TrialResult],
    until: float = float("inf"),
) -> float:
    """Process jobs as `workers` processes would, each task taking the seconds stored in its result.

    Args:
        on_message: as for a backend: if it returns False, the job ends there.
        result_of: the result of a job's seed.
        until: seconds on the simulated clock at which the simulation ends.

    Returns:
        The simulated clock at the end, s.
    """
    clock, order = 0.0, count()
    running: list[tuple[float, int, _Run]] = []
    while True:
        while len(running) < workers and (job := source.next_job()) is not None:
            run = _Run(job, result_of)
            heapq.heappush(running, (clock + run.next_seconds, next(order), run))
        if not running or running[0][0] > until:
            return clock
        clock, _, run = heapq.heappop(running)
        if on_message(run.job.number, run.advance()):
            message = run.success()
            if message is None:
                heapq.heappush(running, (clock + run.next_seconds, next(order), run))
            else:
                on_message(run.job.number, message)


class _Run:
    """One job, advanced task by task."""

    def __init__(self, job: Job, result_of: Callable[[Job, int], TrialResult]) -> None:
        self.job = job
        self._results = [result_of(job, seed) for seed in job.seeds]
        self._tasks = [(result, task) for result in self._results for task in range(len(result.test))]
        self._done = 0

    @property
    def next_seconds(self) -> float:
        result, task = self._tasks[self._done]
        return result.seconds[task]

    def advance(self) -> JobProgress:
        """Finish the next task and return its message."""
        result, task = self._tasks[self._done]
        self._done += 1
        so_far = replace(
            result,
            test=result.test[: task + 1],
            validation=None if result.validation is None else result.validation[: task + 1],
            seconds=result.seconds[: task + 1],
        )
        return JobProgress(self.job.number, result.seed, self._done, len(self._tasks), so_far.to_dict())

    def success(self) -> Success | None:
        if self._done < len(self._tasks):
            return None
        return Success(tuple(result.to_dict() for result in self._results))
