"""What a driver counts, and the study it writes to."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Counters:
    """What a study has so far; the numbers of the progress line."""

    asked: int = 0
    complete: int = 0
    failed: int = 0
    pruned: int = 0
    skipped: int = 0
    duplicates: int = 0
    seeds_failed: int = 0
    running: set[int] = field(default_factory=set)
    objectives: dict[int, tuple[float | None, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class StudyHandle:
    """The study a driver writes to.

    Attributes:
        checkpoints: path or URI for those of its running trials.
        carried: workers cannot reach that path; see `sweeps.jobs.Job`.
    """

    id: int
    name: str
    launch_id: int
    data_root: str
    checkpoints: str
    carried: bool = False
