"""The Ray Tune scheduler of a sweep: stops a trial at a rung where the driver says so.

Ray's own schedulers know one objective. The rule itself (`sweeps.moasha`) knows nothing of Ray, so that it can be
tested in milliseconds and goes on from the database when a study is started again.
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
    """First come, first served; each result decides whether its trial goes on."""

    def __init__(self, receiver: Receiver) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._receiver = receiver

    def on_trial_add(self, tune_controller: Any, trial: Trial) -> None:
        self._receiver.add(trial)

    def on_trial_result(self, tune_controller: Any, trial: Trial, result: dict[str, Any]) -> str:
        return str(TrialScheduler.CONTINUE if self._receiver.receive(trial, result) else TrialScheduler.STOP)

    def on_trial_error(self, tune_controller: Any, trial: Trial) -> None:
        self._receiver.lose(trial)

    def __getstate__(self) -> dict[str, Any]:
        return {}
