"""Trial counts of a running sweep."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Counters:
    """Numbers of trials by state, as the progress line and the final message show them.

    Attributes:
        asked: trials asked of the sampler to be trained, so neither skipped nor duplicates.
        failed, pruned: those of them, without their duplicates.
        seeds_failed: COMPLETE trials of which a further seed failed.
        preempted: attempts that ended because their node was lost, drained or low on memory.
        running: trials a worker trains now.
        objectives: of each COMPLETE trial that keeps the constraints, in the order of the spec.
        infeasible: of each COMPLETE trial that breaks one: the sum of its violations, and the value of each constrained
            metric in the order of the spec.
    """

    asked: int = 0
    complete: int = 0
    failed: int = 0
    pruned: int = 0
    skipped: int = 0
    duplicates: int = 0
    seeds_failed: int = 0
    preempted: int = 0
    running: set[int] = field(default_factory=set)
    objectives: dict[int, tuple[float | None, ...]] = field(default_factory=dict)
    infeasible: dict[int, tuple[float, tuple[float | None, ...]]] = field(default_factory=dict)
