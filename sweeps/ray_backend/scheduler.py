"""The Ray Tune scheduler of a sweep: stops a trial at a rung if the driver decides so.

Ray's own schedulers support one objective. The rule itself (`sweeps.search.moasha`) is independent of Ray, so that it
is tested in milliseconds and resumes from the database when a study is started again.
"""

from __future__ import annotations

from typing import Any, Protocol

from ray.tune.experiment import Trial
from ray.tune.schedulers import FIFOScheduler, TrialScheduler


class Receiver(Protocol):
    """Receives Ray Tune's trial callbacks."""

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
    """

    def __init__(self, receiver: Receiver, workers: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._receiver = receiver
        self._workers = workers
        self._waiting: list[Trial] = []

    def on_trial_add(self, tune_controller: Any, trial: Trial) -> None:
        if self._workers:
            # Of several workers that become free at once Tune would keep one, although the next jobs are about to come.
            # Private API of Ray Tune, checked with 2.60.0: no option sets the size of the actor cache.
            tune_controller._actor_cache.increase_max(trial.placement_group_factory, self._workers)
            self._workers = 0
        self._waiting.append(trial)
        self._receiver.add(trial)

    def choose_trial_to_run(self, tune_controller: Any) -> Trial | None:
        self._waiting = [trial for trial in self._waiting if trial.status == Trial.PENDING]
        return self._waiting[-1] if self._waiting else None

    def on_trial_result(self, tune_controller: Any, trial: Trial, result: dict[str, Any]) -> str:
        return str(TrialScheduler.CONTINUE if self._receiver.receive(trial, result) else TrialScheduler.STOP)

    def on_trial_error(self, tune_controller: Any, trial: Trial) -> None:
        self._receiver.worker_died(trial)

    def __getstate__(self) -> dict[str, Any]:
        return {}
