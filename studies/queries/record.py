"""Records of a study: its spec, launches, driver and number of trials."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from studies.database.row_types import LaunchRow, Lease
from studies.store.leases import LEASE_SECONDS, is_dead


@dataclass(frozen=True)
class StudyRecord:
    """A study and its launches, as they are in the database.

    Attributes:
        spec: the sweep spec with every default filled in.
        seeds: seeds wanted per configuration.
        launches: one row per driver start, oldest first.
        driver: the lease of the running driver, None without one.
        last_lease: the same where it has ended but was never given back: its driver was killed.
        progress: tasks finished and tasks in all, over all seeds, of each trial that runs now, by number.
        stop_requested: the driver is to stop after the running trials.
        driver_seconds: wall time of all drivers.
    """

    id: int
    name: str
    uuid: str
    spec: dict[str, Any]
    seeds: int
    created_at: datetime
    launches: list[LaunchRow]
    driver: Lease | None
    stop_requested: bool
    driver_seconds: float
    last_lease: Lease | None = None
    progress: Mapping[int, tuple[int, int]] = field(default_factory=dict)

    @property
    def objectives(self) -> dict[str, str]:
        """Direction of each objective, "maximize" or "minimize", in the order of the spec."""
        return dict(self.spec.get("objectives", {}))

    @property
    def constraints(self) -> dict[str, str]:
        """Bound on each constrained metric, such as "<= 1.0"."""
        return dict(self.spec.get("constraints") or {})

    @property
    def is_imported(self) -> bool:
        """True if its trials were imported, so that there is no sweep to continue."""
        return "imported_from" in self.spec

    def stale_trials(self, n_running: int) -> str | None:
        """Describe trials that are RUNNING although no driver is; None if there are none."""
        if not n_running or (self.driver is not None and not is_dead(self.driver)):
            return None
        since = ""
        if self.last_lease is not None:
            seen = self.last_lease["until"] - timedelta(seconds=LEASE_SECONDS)
            since = f" since {seen:%Y-%m-%d %H:%M:%S} UTC"
        remedy = "" if self.is_imported else "; the same command resumes it"
        return f"{n_running} running, stale{since}: nobody drives this study{remedy}"

    @property
    def searched(self) -> list[str]:
        """Dotted names of the searched parameters, in the order of the spec."""
        return list(self.spec.get("search") or {})


@dataclass(frozen=True)
class TrialCounts:
    """The number of trials of a study.

    Attributes:
        states: number of trials in each state, zeros included.
        duplicates_by_state: those of them that repeat an earlier configuration.
    """

    states: dict[str, int]
    duplicates_by_state: dict[str, int]

    @property
    def duplicates(self) -> int:
        return sum(self.duplicates_by_state.values())

    @property
    def own(self) -> dict[str, int]:
        """Number of trials in each state without duplicates."""
        return {state: n - self.duplicates_by_state[state] for state, n in self.states.items()}

    @property
    def total(self) -> int:
        return sum(self.states.values())
