"""Messages between driver and worker: a job, its progress, and its result or failure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from studies.spec.ranges import RungUnit
from studies.spec.resources import Request

FailureKind = Literal["trial", "worker", "node", "environment"]


@dataclass(frozen=True)
class Job:
    """Train one configuration with some seeds.

    Attributes:
        number: of the trial within its study.
        attempt: 1, 2, ...; only the newest attempt may write its result.
        config: a TrialConfig as plain JSON types.
        seeds: to train, in order.
        data_root: where the worker finds the data.
        checkpoints: path or URI for one checkpoint per seed; those of an earlier attempt are resumed.
        via_driver: workers cannot reach the path; checkpoints are sent with the job, and back with the messages.
        rungs: numbers of tasks, or of iterations over all tasks, of the first seed after which the driver judges it.
        lengths: of the tasks, in the unit of the rungs; () without rungs.
        race: the driver judges it after each seed too.
        request: resources that a worker needs for it.
        checkpoint_minutes: between checkpoints within a task.
        purpose: "trial" ends the trial; "more_seeds" adds seeds to one that is COMPLETE.
    """

    number: int
    attempt: int
    config: Mapping[str, Any]
    seeds: tuple[int, ...]
    data_root: str
    checkpoints: str
    rungs: tuple[int, ...] = ()
    rung_unit: RungUnit = "tasks"
    lengths: tuple[int, ...] = ()
    race: bool = False
    via_driver: bool = False
    request: Request = field(default_factory=Request)
    checkpoint_minutes: float = 10.0
    purpose: Literal["trial", "more_seeds"] = "trial"

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    def done(self, n_tasks: int) -> int:
        """Return the length of the first tasks in the unit of the rungs."""
        return sum(self.lengths[:n_tasks])

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> Job:
        return cls(
            **{
                **content,
                "seeds": tuple(content["seeds"]),
                "rungs": tuple(content["rungs"]),
                "lengths": tuple(content["lengths"]),
                "request": Request(**content["request"]),
            }
        )


@dataclass(frozen=True)
class JobProgress:
    """Progress of a job: after each checkpoint of each seed, and when a seed that is judged is resumed.

    Attributes:
        tasks_done: over all seeds of the job.
        so_far: where the driver judges the trial: `TrialResult.to_dict` of this seed with the rows measured so far.
        within: iterations into a task that is not finished yet; the last row of `so_far` was then measured there.
    """

    number: int
    seed: int
    tasks_done: int
    tasks_in_all: int
    so_far: dict[str, Any] | None = None
    within: int = 0


@dataclass(frozen=True)
class Success:
    """Results of all seeds of a job, each as `TrialResult.to_dict`."""

    results: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class Failure:
    """Reason why a job ended without a result: one line, and the traceback.

    Attributes:
        kind: "trial": it would fail again; "worker": the process died or can train no more, and another one may
            succeed; "node": the process was ended with or by its node (lost, preempted, drained, low on memory);
            "environment": a disk, a device or a data set, so that every trial would fail.
    """

    reason: str
    traceback: str | None = None
    kind: FailureKind = "trial"


Message = JobProgress | Success | Failure
