"""The Ray Tune scheduler of a sweep: stops a trial at a rung where the driver says so.

Ray's own schedulers know one objective. The rule itself (`sweeps.moasha`) knows nothing of Ray, so that it can be
tested in milliseconds and goes on from the database when a study is started again.
"""

from __future__ import annotations

from typing import Any, Protocol

from ray.tune.experiment import Trial
from ray.tune.schedulers import FIFOScheduler, TrialScheduler


class Receiver(Protocol):
    """Takes the results of running Tune trials."""

    def receive(self, trial_id: str, result: dict[str, Any]) -> bool:
        """Whether the trial goes on."""


class DriverScheduler(FIFOScheduler):
    """First come, first served; each result decides whether its trial goes on."""

    def __init__(self, receiver: Receiver) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._receiver = receiver

    def on_trial_result(self, tune_controller: Any, trial: Trial, result: dict[str, Any]) -> str:
        goes_on = self._receiver.receive(trial.trial_id, result)
        return str(TrialScheduler.CONTINUE if goes_on else TrialScheduler.STOP)

    def __getstate__(self) -> dict[str, Any]:
        return {}
