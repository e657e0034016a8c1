"""The one writer of a sweep: asks Optuna, keeps our rows, takes results, tells Optuna; knows nothing of Ray.

Order of writes for a trial: ask -> our row RUNNING -> train -> one transaction: runs and our row COMPLETE -> tell.
Whatever is cut off between two of them, `sweeps.reconcile` finishes when the same study is started again.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
import shutil
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hnet_core.checking import parse_trial
from hnet_core.errors import ConfigInvalid
from hnet_core.training import networks, stream_shape
from hnet_core.trial import TrialConfig, TrialResult
from studies.metrics import run_metrics, static_metrics
from studies.store import Store
from sweeps.crash import crash_point
from sweeps.jobs import Failure, Job
from sweeps.objectives import measured, values_to_tell, violations
from sweeps.spec import SweepSpec

if TYPE_CHECKING:
    import optuna
    from optuna.trial import Trial

MAX_ASKS_WITHOUT_TRAINING = 200

log = logging.getLogger("hnet")


@dataclass
class Tally:
    """What a study has so far; the numbers of the progress line."""

    asked: int = 0
    complete: int = 0
    failed: int = 0
    skipped: int = 0
    duplicates: int = 0
    seeds_failed: int = 0
    running: set[int] = field(default_factory=set)
    objectives: dict[int, tuple[float | None, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class StudyHandle:
    """The study a driver writes to."""

    id: int
    name: str
    launch_id: int
    data_root: str
    checkpoints: Path


class Driver:
    """Turns a study into jobs and the results of jobs into rows.

    Attributes:
        tally: progress so far.
        stopping: set to ask for no further job; running ones may finish.
        aborted: why the sweep must end at once, writing nothing more; the backend then drops what is running.
        deadline: time.monotonic() at which the hours of the budget end.
    """

    def __init__(
        self,
        spec: SweepSpec,
        study: StudyHandle,
        store: Store,
        optuna_study: optuna.Study,
        deadline: float = math.inf,
    ) -> None:
        self.spec = spec
        self.study = study
        self.store = store
        self.optuna = optuna_study
        self.tally = Tally()
        self.stopping = False
        self.aborted: BaseException | None = None
        self.deadline = deadline
        self._waiting: deque[Job] = deque()
        self._jobs: dict[int, Job] = {}
        self._metrics: dict[int, dict[str, list[float | None]]] = {}
        self._by_hash: dict[str, int] = {}
        self._followers: dict[int, list[tuple[int, int]]] = {}
        self._asks_without_training = 0
        self._grid_size = spec.space.grid_size() if spec.sampler == "grid" else None

    # What is known from earlier starts; called by sweeps.reconcile before the first job.

    def remember_complete(self, number: int, config_hash: str, metrics: dict[str, list[float | None]]) -> None:
        """A trial that was trained and finished before."""
        self._by_hash.setdefault(config_hash, number)
        self._metrics[number] = metrics
        self.tally.complete += 1
        self.tally.asked += 1
        self.tally.objectives[number] = measured(self.spec, metrics)

    def remember_other(self, state: str, duplicate: bool) -> None:
        """A finished trial without results of its own."""
        self.tally.failed += state == "FAILED"
        self.tally.skipped += state == "SKIPPED"
        self.tally.duplicates += duplicate
        self.tally.asked += not duplicate and state != "SKIPPED"

    def queue(self, job: Job) -> None:
        """A job to do before anything new is asked."""
        self._waiting.append(job)

    def abort(self, why: BaseException) -> None:
        """End the sweep at once; running trials stay RUNNING and go on from their checkpoints at the next start."""
        self.aborted = self.aborted or why
        self.stopping = True

    # Jobs out.

    @property
    def finished(self) -> bool:
        """Whether no further job will come."""
        if self.stopping:
            return True
        return not self._waiting and not self._followers and self._budget_is_spent()

    def next_job(self) -> Job | None:
        """The next job, or None: nothing now (see `finished`)."""
        if self.stopping:
            return None
        while not self._waiting and not self._followers and not self._budget_is_spent():
            trial = self.optuna.ask()
            crash_point("after_ask")
            self.begin(trial, self.spec.space.suggest(trial))
        if not self._waiting:
            return None
        job = self._waiting.popleft()
        self._jobs[job.number] = job
        self.tally.running.add(job.number)
        return job

    def begin(self, trial: Trial, params: Mapping[str, Any], attempt: int = 1) -> None:
        """Decide what becomes of an asked trial (a job, a skip, a copy of a known result) and write its row."""
        asked = self.spec.space.place(params)
        try:
            described = self._describe(parse_trial(asked), params)
        except ConfigInvalid as error:
            # The spec was checked at the ends of every range; only a combination of values can still be impossible.
            self._skip(trial, f"impossible combination: {error}", self._describe_impossible(asked, params))
            return
        infeasible = [
            str(constraint)
            for constraint in self.spec.parsed_constraints
            if (value := static_metrics(described["counts"]).get(constraint.metric)) is not None
            and constraint.violation(value) > 0
        ]
        original = self._by_hash.get(described["config_hash"])
        if infeasible:
            self._skip(trial, f"infeasible: {', '.join(infeasible)} does not hold", described)
        elif original is not None and original != trial.number:
            self._follow(trial.number, original, attempt, described)
        else:
            self._by_hash[described["config_hash"]] = trial.number
            self.store.start_trial(self.study.id, trial.number, attempt=attempt, **described)
            crash_point("after_row")
            self.tally.asked += 1
            self._asks_without_training = 0
            self.queue(self.job(trial.number, attempt, described["config"], range(self.spec.seeds)))

    def job(self, number: int, attempt: int, config: dict[str, Any], seeds: Sequence[int], **more: Any) -> Job:
        folder = self.study.checkpoints / str(number)
        return Job(number, attempt, config, tuple(seeds), self.study.data_root, str(folder), **more)

    def knows(self, number: int) -> bool:
        """Whether this trial is trained already, or about to be."""
        return number in self._by_hash.values()

    def metrics_of(self, number: int) -> Mapping[str, Sequence[float | None]]:
        """Each metric of a trained trial, one value per seed."""
        return self._metrics[number]

    # Results in.

    def complete(self, number: int, results: Sequence[Mapping[str, Any]]) -> None:
        """All seeds of a job are trained."""
        job = self._end(number)
        runs = [TrialResult.from_dict(result) for result in results]
        if job.purpose == "more_seeds":
            self.store.add_runs(self.study.id, number, runs)
            known = self._metrics[number]
            self._metrics[number] = {name: [*known[name], *values] for name, values in gather(runs).items()}
            self.tally.objectives[number] = measured(self.spec, self._metrics[number])
            shutil.rmtree(job.checkpoints, ignore_errors=True)
            return
        self.store.complete_trial(self.study.id, number, job.attempt, runs)
        crash_point("after_commit")
        self._metrics[number] = metrics = gather(runs)
        self.tally.complete += 1
        self.tally.objectives[number] = measured(self.spec, metrics)
        self.tell(number, metrics)
        crash_point("after_tell")
        shutil.rmtree(job.checkpoints, ignore_errors=True)
        for follower, attempt in self._followers.pop(number, []):
            self._complete_duplicate(follower, attempt, number)

    def fail(self, number: int, failure: Failure) -> None:
        """A job ended without a result."""
        job = self._end(number)
        shutil.rmtree(job.checkpoints, ignore_errors=True)
        if job.purpose == "more_seeds":
            log.warning("trial %d: further seeds failed, its earlier ones stand: %s", number, failure.reason)
            self.tally.seeds_failed += 1
            return
        log.warning("trial %d failed: %s", number, failure.reason)
        # It may be asked again, as after a restart: what failed was not measured.
        self._by_hash = {key: known for key, known in self._by_hash.items() if known != number}
        self.fail_row(number, job.attempt, failure)
        for follower, attempt in self._followers.pop(number, []):
            self.fail_row(follower, attempt, Failure(f"the same configuration failed as trial {number}"))

    def give_up(self, number: int, attempt: int, reason: str, duplicate: bool = False) -> None:
        """Fail a trial that an earlier driver asked for and that is not tried again."""
        self.tally.asked += not duplicate
        self.tally.duplicates += duplicate
        self.fail_row(number, attempt, Failure(reason))

    def fail_row(self, number: int, attempt: int, failure: Failure) -> None:
        """Make a trial FAILED for us and for Optuna."""
        import optuna

        self.store.fail_trial(self.study.id, number, attempt, failure.reason, failure.traceback)
        self.tally.failed += 1
        self.optuna.tell(number, state=optuna.trial.TrialState.FAIL, skip_if_finished=True)

    def tell(self, number: int, metrics: Mapping[str, Sequence[float | None]]) -> None:
        """Tell Optuna the mean over seeds, and how far each constraint is from being kept."""
        import optuna

        trial = optuna.trial.Trial(self.optuna, self._optuna_id(number))
        for name, violation in violations(self.spec, metrics).items():
            trial.set_constraint(name, violation)
        values = values_to_tell(self.spec, metrics)
        if values is None:
            self.optuna.tell(number, state=optuna.trial.TrialState.FAIL, skip_if_finished=True)
        else:
            self.optuna.tell(number, values, skip_if_finished=True)

    # Below: steps of the above.

    def _budget_is_spent(self) -> bool:
        planned, tally = self.spec.planned_trials, self.tally
        if time.monotonic() >= self.deadline or (planned is not None and tally.asked >= planned):
            return True
        if self._grid_size is not None and tally.asked + tally.skipped + tally.duplicates >= self._grid_size:
            return True  # every point of the grid was asked for once
        return self._asks_without_training >= MAX_ASKS_WITHOUT_TRAINING

    def _count_ask_without_training(self) -> None:
        self._asks_without_training += 1
        if self._asks_without_training == MAX_ASKS_WITHOUT_TRAINING:
            log.warning(
                "the last %d configurations asked for were infeasible or measured already: the search space seems "
                "exhausted; widen the ranges or loosen the constraints.",
                MAX_ASKS_WITHOUT_TRAINING,
            )

    def _describe(self, config: TrialConfig, params: Mapping[str, Any]) -> dict[str, Any]:
        """The columns of a trial row that follow from its configuration."""
        shape = stream_shape(config, self.study.data_root)
        return {
            "launch_id": self.study.launch_id,
            "config": config.model_dump(mode="json"),
            "config_hash": config.hash(),
            "params": dict(params),
            "measure": shape.measure,
            "counts": networks(config, shape).counts,
        }

    def _describe_impossible(self, asked: Mapping[str, Any], params: Mapping[str, Any]) -> dict[str, Any]:
        """The same for a combination that makes no configuration: as it was asked for, with nothing counted."""
        text = json.dumps(asked, sort_keys=True)
        return {
            "launch_id": self.study.launch_id,
            "config": dict(asked),
            "config_hash": hashlib.sha256(text.encode()).hexdigest()[:16],
            "params": dict(params),
            "measure": stream_shape(self.spec.config(), self.study.data_root).measure,
            "counts": None,
        }

    def _skip(self, trial: Trial, reason: str, described: Mapping[str, Any]) -> None:
        import optuna

        self.store.skip_trial(self.study.id, trial.number, reason=reason, **described)
        self.tally.skipped += 1
        self._count_ask_without_training()
        for constraint in self.spec.parsed_constraints:
            value = described["counts"] and static_metrics(described["counts"]).get(constraint.metric)
            if value is not None:
                trial.set_constraint(constraint.metric, constraint.violation(value))
        self.optuna.tell(trial.number, state=optuna.trial.TrialState.PRUNED, skip_if_finished=True)

    def _follow(self, number: int, original: int, attempt: int, described: Mapping[str, Any]) -> None:
        """The same configuration again: copy its result, at once or when it is there."""
        self.store.start_trial(self.study.id, number, attempt=attempt, duplicate_of=original, **described)
        crash_point("after_row")
        self._count_ask_without_training()
        self.tally.duplicates += 1
        if original in self._metrics:
            self._complete_duplicate(number, attempt, original)
        else:
            self._followers.setdefault(original, []).append((number, attempt))

    def _complete_duplicate(self, number: int, attempt: int, original: int) -> None:
        self.store.complete_duplicate(self.study.id, number, attempt)
        crash_point("after_commit")
        self.tell(number, self._metrics[original])

    def _end(self, number: int) -> Job:
        self.tally.running.discard(number)
        return self._jobs.pop(number)

    def _optuna_id(self, number: int) -> int:
        storage = self.optuna._storage
        return storage.get_trial_id_from_study_id_trial_number(self.optuna._study_id, number)


def gather(runs: Sequence[TrialResult]) -> dict[str, list[float | None]]:
    """Each metric of each run: name -> one value per seed."""
    per_run = [run_metrics(run) for run in runs]
    return {name: [metrics[name] for metrics in per_run] for name in per_run[0]}
