"""What a driver hands to a worker, and what comes back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from studies.spec.ranges import RungUnit


@dataclass(frozen=True)
class Job:
    """Train one configuration with some seeds.

    Attributes:
        number: of the trial within its study.
        attempt: 1, 2, ...; only the newest attempt may write its result.
        config: a TrialConfig as plain JSON types.
        seeds: to train, in order.
        data_root: where the worker finds the data.
        checkpoints: path or URI for one checkpoint per seed; what lies there of an earlier attempt is continued.
        carried: the path is the driver's own: checkpoints go there and come from there with the messages.
        rungs: numbers of tasks, or of iterations over all tasks, of the first seed after which the driver judges it.
        race: the driver judges it after each seed too.
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
    race: bool = False
    via_driver: bool = False
    purpose: Literal["trial", "more_seeds"] = "trial"

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def iterations(self) -> int:
        """Steps per task."""
        return int(self.config["training"]["iterations"])

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> Job:
        return cls(**{**content, "seeds": tuple(content["seeds"]), "rungs": tuple(content["rungs"])})


@dataclass(frozen=True)
class JobProgress:
    """How far a job is: after each task of each seed, and at the start of one that is judged and continued.

    Attributes:
        tasks_done: over all seeds of the job.
        so_far: where the driver judges the trial: `TrialResult.to_dict` of this seed with the rows there are.
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
    """The raw results of all seeds of a job, as TrialResult.to_dict gives them."""

    results: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class Failure:
    """Why a job ended without a result: one line, and the traceback.

    Attributes:
        kind: "trial": it would fail again; "worker": the process was lost, another one may do better; "environment":
            a disk or a data set, so that every trial would fail.
    """

    reason: str
    traceback: str | None = None
    kind: Literal["trial", "worker", "environment"] = "trial"


Message = JobProgress | Success | Failure
