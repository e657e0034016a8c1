"""Records of a study: its spec, launches, driver and number of trials."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from studies.database.row_types import LaunchRow, Lease


@dataclass(frozen=True)
class StudyRecord:
    """A study and its launches, as they are in the database.

    Attributes:
        spec: the sweep spec with every default filled in.
        seeds: seeds wanted per configuration.
        launches: one row per driver start, oldest first.
        driver: the lease of the running driver, None without one.
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
        """Whether its trials were imported, so that there is no sweep to continue."""
        return "imported_from" in self.spec

    @property
    def searched(self) -> list[str]:
        """Dotted names of the searched parameters, in the order of the spec."""
        return list(self.spec.get("search") or {})


@dataclass(frozen=True)
class TrialCounts:
    """The number of trials of a study.

    Attributes:
        states: number of trials in each state, zeros included.
        duplicates: those that repeat an earlier configuration; they are counted in `states` too.
    """

    states: dict[str, int]
    duplicates: int

    @property
    def total(self) -> int:
        return sum(self.states.values())
