"""The Ray Tune scheduler of a sweep: stops a trial at a rung if the driver decides so.

Ray's own schedulers support one objective. The rule itself (`sweeps.search.moasha`) is independent of Ray, so that it
is tested in milliseconds and resumes from the database when a study is started again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Protocol

from ray.tune.experiment import Trial
from ray.tune.schedulers import FIFOScheduler, TrialScheduler

SECONDS_TO_START = 1.0  # after which a job waits for the resources of others


class Receiver(Protocol):
    """Receives Ray Tune's trial callbacks."""

    def idle_workers(self) -> int:
        """Return how many workers without a job may wait for their next one."""

    def add(self, trial: Trial) -> None:
        """Add a new trial."""

    def receive(self, trial: Trial, result: dict[str, Any]) -> bool:
        """Process a result of a trial; return whether the trial continues."""

    def worker_died(self, trial: Trial) -> None:
        """Note that the process of a trial has died."""


class DriverScheduler(FIFOScheduler):
    """Stops a trial on the receiver's decision, and gives a free worker the newest job.

    The older jobs have workers that are starting. Tune would give a free worker the oldest job and end the worker that
    is starting for it, and again when that job ends: importing torch takes four processor seconds each time.

    Of several workers that become free at once Tune would keep one, although the next jobs are about to come; this
    keeps those that the receiver allows. One whose resources another kind of job waits for is ended.
    """

    def __init__(self, receiver: Receiver, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._receiver = receiver
        self._clock = clock
        self._waiting: list[Trial] = []
        self._added_at: dict[str, float] = {}
        self._kept: dict[Any, int] = {}

    def on_trial_add(self, tune_controller: Any, trial: Trial) -> None:
        self._waiting.append(trial)
        self._added_at[trial.trial_id] = self._clock()
        self._kept.setdefault(trial.placement_group_factory, 0)
        self._receiver.add(trial)

    def choose_trial_to_run(self, tune_controller: Any) -> Trial | None:
        self._waiting = [trial for trial in self._waiting if trial.status == Trial.PENDING]
        self._added_at = {trial.trial_id: self._added_at[trial.trial_id] for trial in self._waiting}
        self._keep_idle_workers(tune_controller)
        return self._waiting[-1] if self._waiting else None

    def _keep_idle_workers(self, tune_controller: Any) -> None:
        """Set how many idle workers of each kind of resources Tune keeps.

        Private API of Ray Tune, checked with 2.60.0: no option sets the size of the actor cache, nor that it keeps one
        worker beyond it, whose node an autoscaler could not end.
        """
        tune_controller._actor_cache._may_keep_one = False
        late = self._clock() - SECONDS_TO_START
        starved = {one.placement_group_factory for one in self._waiting if self._added_at[one.trial_id] <= late}
        allowed = self._receiver.idle_workers()
        for resources, kept in self._kept.items():
            wanted = 0 if starved - {resources} else allowed
            if wanted != kept:
                tune_controller._actor_cache.increase_max(resources, wanted - kept)
                self._kept[resources] = wanted

    def on_trial_result(self, tune_controller: Any, trial: Trial, result: dict[str, Any]) -> str:
        return str(TrialScheduler.CONTINUE if self._receiver.receive(trial, result) else TrialScheduler.STOP)

    def on_trial_error(self, tune_controller: Any, trial: Trial) -> None:
        self._receiver.worker_died(trial)

    def __getstate__(self) -> dict[str, Any]:
        return {}
