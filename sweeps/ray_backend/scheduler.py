"""The Ray Tune scheduler of a sweep: stops a trial at a rung where the driver says so.

Ray's own schedulers know one objective. The rule itself (`sweeps.search.moasha`) knows nothing of Ray, so that it can
be tested in milliseconds and goes on from the database when a study is started again.
"""

from __future__ import annotations

from typing import Any, Protocol

from ray.tune.experiment import Trial
from ray.tune.schedulers import FIFOScheduler, TrialScheduler


class Receiver(Protocol):
    """Hears what becomes of running Tune trials."""

    def add(self, trial: Trial) -> None:
        """A trial was made."""

    def receive(self, trial: Trial, result: dict[str, Any]) -> bool:
        """It sent a result; whether it goes on."""

    def lose(self, trial: Trial) -> None:
        """Its process is gone."""


class DriverScheduler(FIFOScheduler):
    """Each result decides whether its trial goes on; a worker that is free takes the newest job.

    The older ones have workers that are starting. Given to the oldest, as Tune would, the free worker would end the one
    that is starting for it, and again when that job ends: importing torch takes four processor seconds each time.
    """

    def __init__(self, receiver: Receiver, workers: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._receiver = receiver
        self._workers = workers
        self._waiting: list[Trial] = []

    def on_trial_add(self, tune_controller: Any, trial: Trial) -> None:
        if self._workers:
            # Of several workers that become free at once Tune would keep one, although the next jobs are about to come.
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
        self._receiver.lose(trial)

    def __getstate__(self) -> dict[str, Any]:
        return {}
