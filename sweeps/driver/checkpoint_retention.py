"""Which checkpoints of a study stay: those of running trials, and with `keep: front` those of its best trade-offs."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from studies.spec.spec import SweepSpec
from sweeps import checkpoints
from sweeps.search.objectives import Metrics, front


class CheckpointRetention:
    """Deletes checkpoints as soon as nobody needs them, so that they never take more room than these trials."""

    def __init__(self, spec: SweepSpec, location: str) -> None:
        self._spec = spec
        self._location = location
        self._kept: set[int] = set()

    def location(self, number: int) -> str:
        """Path or URI for the checkpoints of a trial."""
        return trial_location(self._location, number)

    def delete_unneeded(self, finished: Mapping[int, Metrics], running: Collection[int] = ()) -> None:
        """Delete all but the checkpoints of running trials and those to keep, whoever left them there.

        Args:
            finished: metrics of every COMPLETE trial.
        """
        self._kept = self._worth_keeping(finished)
        checkpoints.remove_others(self._location, {str(number) for number in {*running, *self._kept}})

    def trial_ended(self, number: int, finished: Mapping[int, Metrics], running: Collection[int] = ()) -> None:
        """A trial has ended: delete its checkpoints, or keep them and delete those of the trials it beats."""
        candidates = self._kept | {number}
        self._kept = self._worth_keeping({one: finished[one] for one in candidates if one in finished})
        for gone in candidates - self._kept:
            if gone not in running:
                checkpoints.remove(self.location(gone))

    def _worth_keeping(self, finished: Mapping[int, Metrics]) -> set[int]:
        return front(self._spec, finished) if self._spec.keep == "front" else set()


def trial_location(location: str, number: int) -> str:
    return f"{location}/{number}"
