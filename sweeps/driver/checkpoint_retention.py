"""Checkpoints a study keeps: those of running trials, and with `keep: front` those of its Pareto front."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from studies.spec.spec import SweepSpec
from sweeps import checkpoints
from sweeps.search.objectives import Metrics, front


class CheckpointRetention:
    """Deletes each checkpoint as soon as it is not needed, so that only needed ones use disk space."""

    def __init__(self, spec: SweepSpec, location: str) -> None:
        self._spec = spec
        self._location = location
        self._kept: set[int] = set()

    def location(self, number: int) -> str:
        """Path or URI for the checkpoints of a trial."""
        return trial_location(self._location, number)

    def delete_unneeded(self, finished: Mapping[int, Metrics], running: Collection[int] = ()) -> None:
        """Delete all checkpoints of the study, of earlier drivers too, but those of running trials and those to keep.

        Args:
            finished: metrics of every COMPLETE trial.
        """
        self._kept = self._worth_keeping(finished)
        checkpoints.remove_others(self._location, {str(number) for number in {*running, *self._kept}})

    def trial_ended(self, number: int, finished: Mapping[int, Metrics], running: Collection[int] = ()) -> None:
        """Delete the checkpoints of a trial that has ended, or keep them and delete those of trials it dominates."""
        candidates = self._kept | {number}
        self._kept = self._worth_keeping({one: finished[one] for one in candidates if one in finished})
        for dropped in candidates - self._kept:
            if dropped not in running:
                checkpoints.remove(self.location(dropped))

    def _worth_keeping(self, finished: Mapping[int, Metrics]) -> set[int]:
        return front(self._spec, finished) if self._spec.keep == "front" else set()


def trial_location(location: str, number: int) -> str:
    """Path or URI for the checkpoints of a trial, below that of its study."""
    return f"{location}/{number}"
