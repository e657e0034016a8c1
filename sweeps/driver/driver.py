"""The one writer of a sweep: asks Optuna, keeps our rows, takes results, tells Optuna; knows nothing of Ray.

Order of writes for a trial: ask -> our row RUNNING -> train -> one transaction: runs and our row COMPLETE -> tell.
Whatever is cut off between two of them, `sweeps.driver.reconcile` finishes when the same study is started again.
"""

from __future__ import annotations

import logging
import math
import time
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from hnet_core.build import stream_shape
from hnet_core.config_validation import parse_trial
from hnet_core.errors import ConfigInvalid, HnetError
from hnet_core.trial import TrialResult
from studies.spec.spec import SweepSpec
from studies.store.store import Store
from studies.store.suggested_trial import AskedTrial
from sweeps.driver.checkpoint_retention import Keeper
from sweeps.driver.counters import StudyHandle, Tally
from sweeps.driver.suggestions import asked_trial, impossible_trial, known_violations
from sweeps.driver.trial_recorder import Books
from sweeps.fault_injection import crash_point
from sweeps.jobs import Failure, Job, Message, Step, Success
from sweeps.search.distributions import suggest
from sweeps.search.early_stopping import StoppingRules
from sweeps.search.objectives import gather, joined, measured, values_to_tell, violations

if TYPE_CHECKING:
    import optuna
    from optuna.trial import Trial

MAX_ASKS_WITHOUT_TRAINING = 200

log = logging.getLogger("hnet")


class Driver:
    """Turns a study into jobs and the results of jobs into rows.

    Attributes:
        tally: progress so far.
        stopping: set to ask for no further job; running ones may finish.
        aborted: why the sweep must end at once, writing nothing more; the backend then drops what is running.
        deadline: time.monotonic() at which the hours of the budget end.
        rules: when a running trial is stopped.
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
        self.books = Books(store, optuna_study, study.id, lambda: self.aborted is not None)
        self.tally = Tally()
        self.stopping = False
        self.aborted: BaseException | None = None
        self.deadline = deadline
        self.rules = StoppingRules(spec)
        self._keeper = Keeper(spec, study.checkpoints)
        self._lost_workers: Counter[int] = Counter()
        self._begun: set[int] = set()
        self._waiting: deque[Job] = deque()
        self._jobs: dict[int, Job] = {}
        self._metrics: dict[int, dict[str, list[float | None]]] = {}
        self._by_hash: dict[str, int] = {}
        self._followers: dict[int, list[tuple[int, int]]] = {}
        self._asks_without_training = 0
        self._asked_ahead: deque[tuple[Trial, dict[str, Any]]] = deque()

    # What is known from earlier starts; called by sweeps.driver.reconcile before the first job.

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
        self.tally.pruned += state == "PRUNED"
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

    def clear_up(self) -> None:
        """Delete the checkpoints nobody needs; before the first job, and once all are done."""
        self._keeper.settle(self._metrics, {job.number for job in self._waiting})

    # Jobs out.

    @property
    def finished(self) -> bool:
        """Whether no further job will come."""
        if self.stopping:
            return True
        return not self._waiting and not self._followers and not self._may_ask

    @property
    def _may_ask(self) -> bool:
        return bool(self._asked_ahead) or not self._budget_is_spent()

    def ask_ahead(self) -> None:
        """Ask for the next trial before a worker needs it, which may take the sampler long; it begins when handed out.

        One that is never handed out is begun when the study goes on.
        """
        if not (self.stopping or self._waiting or self._followers or self._asked_ahead or self._budget_is_spent()):
            self._asked_ahead.append(self._ask())

    def _ask(self) -> tuple[Trial, dict[str, Any]]:
        trial = self.books.ask(self._begun | {asked.number for asked, _ in self._asked_ahead})
        crash_point("after_ask")
        return trial, self.books.patiently(lambda: suggest(self.spec.space, self.books.trial(trial.number)))

    def next_job(self) -> Job | None:
        """The next job, or None: nothing now (see `finished`)."""
        if self.stopping:
            return None
        while not self._waiting and not self._followers and self._may_ask:
            self.begin(*(self._asked_ahead.popleft() if self._asked_ahead else self._ask()))
        if not self._waiting:
            return None
        job = self._waiting.popleft()
        self._jobs[job.number] = job
        self.tally.running.add(job.number)
        return job

    def begin(self, trial: Trial, params: Mapping[str, Any], attempt: int = 1) -> None:
        """Decide what becomes of an asked trial (a job, a skip, a copy of a known result) and write its row."""
        self._begun.add(trial.number)
        asked = self.spec.space.place(params)
        data_root = self.study.data_root
        try:
            config = parse_trial(asked)
            described = asked_trial(config, params, data_root)
        except ConfigInvalid as error:
            # The spec was checked at the ends of every range; only a combination of values can still be impossible.
            impossible = impossible_trial(asked, params, self.spec, data_root)
            self._skip(trial, f"impossible combination: {error}", impossible)
            return
        broken = [str(bound) for bound, over in known_violations(self.spec, described).items() if over > 0]
        original = self._by_hash.get(described.config_hash)
        if broken:
            self._skip(trial, f"infeasible: {', '.join(broken)} does not hold", described)
        elif original is not None and original != trial.number:
            self._follow(trial.number, original, attempt, described)
        else:
            self._by_hash[described.config_hash] = trial.number
            self._start(trial.number, attempt, described)
            self.tally.asked += 1
            self._asks_without_training = 0
            rungs = self.rules.rungs(stream_shape(config, data_root).n_tasks, config.training.iterations)
            self.queue(self.job(trial.number, attempt, described.config, range(self.spec.seeds), rungs=rungs))

    def job(self, number: int, attempt: int, config: Mapping[str, Any], seeds: Sequence[int], **more: Any) -> Job:
        more |= {"race": self.rules.races, "carried": self.study.carried, "rung_unit": self.rules.rung_unit}
        return Job(number, attempt, config, tuple(seeds), self.study.data_root, self._keeper.place(number), **more)

    def knows(self, number: int) -> bool:
        """Whether this trial is trained already, or about to be."""
        return number in self._by_hash.values()

    def metrics_of(self, number: int) -> Mapping[str, Sequence[float | None]]:
        """Each metric of a trained trial, one value per seed."""
        return self._metrics[number]

    def has_lost(self, number: int) -> bool:
        """Whether further seeds of a trial are not trained because another one beats it clearly."""
        return self.rules.races and self.rules.has_lost(self._metrics[number], self._others(number))

    def _others(self, number: int) -> dict[int, dict[str, list[float | None]]]:
        return {other: metrics for other, metrics in self._metrics.items() if other != number}

    # Results in.

    def receive(self, number: int, message: Message) -> bool:
        """Take a message of a running job; whether it goes on."""
        if isinstance(message, Step):
            return self.step(number, message)
        if isinstance(message, Success):
            self.complete(number, message.results)
        else:
            self.fail(number, message)
        return False

    def step(self, number: int, step: Step) -> bool:
        """A job has come further; whether it goes on. If not, it has ended here and its result is written."""
        if step.so_far is None:
            return True
        job, result = self._jobs[number], TrialResult.from_dict(step.so_far)
        reason = self.rules.reason_to_stop(job, result, step.within, partial(self.books.note_rung, number))
        if reason is not None:
            self._prune(number, reason, result.rows(len(result.test) - (step.within > 0)))
            return False
        enough = self.rules.enough_seeds(job, result, self._metrics.get(number), self._others(number))
        if enough is not None:
            self.complete(number, [one.to_dict() for one in enough])
            return False
        return True

    def complete(self, number: int, results: Sequence[Mapping[str, Any]]) -> None:
        """All seeds of a job are trained."""
        job = self._end(number)
        runs = [TrialResult.from_dict(result) for result in results]
        if job.purpose == "more_seeds":
            self.books.write(self.store.add_runs, number, job.attempt, runs)
            self._metrics[number] = joined(self._metrics[number], gather(runs))
            self.tally.objectives[number] = measured(self.spec, self._metrics[number])
            self._keeper.end(number, self._metrics, self._jobs)
            return
        self.books.write(self.store.complete_trial, number, job.attempt, job.attempt, runs)
        crash_point("after_commit")
        self._metrics[number] = metrics = gather(runs)
        self.tally.complete += 1
        self.tally.objectives[number] = measured(self.spec, metrics)
        self.tell(number, metrics)
        crash_point("after_tell")
        self._keeper.end(number, self._metrics, self._jobs)
        for follower, attempt in self._followers.pop(number, []):
            self._complete_duplicate(follower, attempt, number)

    def fail(self, number: int, failure: Failure) -> None:
        """A job ended without a result: try again, stop the sweep, or make the trial FAILED."""
        if failure.kind == "environment":
            self.abort(HnetError(f"trial {number} cannot go on: {failure.reason}; put that right and start again."))
            return
        if failure.kind == "worker" and self._lost_workers[number] < self.spec.limits.retries:
            self._retry(number, failure)
            return
        job = self._end(number)
        self._keeper.end(number, self._metrics, self._jobs)
        if job.purpose == "more_seeds":
            log.warning("trial %d: further seeds failed, its earlier ones stand: %s", number, failure.reason)
            self.tally.seeds_failed += 1
            return
        log.warning("trial %d failed: %s", number, failure.reason)
        self._forget(number)
        self.fail_row(number, job.attempt, failure)
        for follower, attempt in self._followers.pop(number, []):
            self.fail_row(follower, attempt, Failure(f"the same configuration failed as trial {number}"))

    def _retry(self, number: int, failure: Failure) -> None:
        """The next attempt, from the last checkpoint; it is handed out before anything new."""
        job = self._jobs.pop(number)
        self.tally.running.discard(number)
        self._lost_workers[number] += 1
        again = replace(job, attempt=job.attempt + 1)
        log.warning("trial %d: %s; attempt %d follows", number, failure.reason, again.attempt)
        if job.purpose == "trial":
            self.books.write(self.store.retry_trial, number, again.attempt, again.attempt)
        self._waiting.appendleft(again)

    def give_up(self, number: int, attempt: int, reason: str, duplicate: bool = False) -> None:
        """Fail a trial that an earlier driver asked for and that is not tried again."""
        self.tally.asked += not duplicate
        self.tally.duplicates += duplicate
        self.fail_row(number, attempt, Failure(reason))

    def fail_row(self, number: int, attempt: int, failure: Failure) -> None:
        """Make a trial FAILED for us and for Optuna."""
        import optuna

        self.books.write(self.store.fail_trial, number, attempt, attempt, failure.reason, failure.traceback)
        self.tally.failed += 1
        self.books.tell(number, optuna.trial.TrialState.FAIL)

    def tell(self, number: int, metrics: Mapping[str, Sequence[float | None]]) -> None:
        """Tell Optuna the mean over seeds, and how far each constraint is from being kept."""
        import optuna

        values = values_to_tell(self.spec, metrics)
        state = optuna.trial.TrialState.COMPLETE if values is not None else optuna.trial.TrialState.FAIL
        self.books.tell(number, state, values, violations(self.spec, metrics))

    # Below: steps of the above.

    def _budget_is_spent(self) -> bool:
        tally = self.tally
        is_late = time.monotonic() >= self.deadline
        if is_late or self.spec.has_asked_all(tally.asked, tally.skipped + tally.duplicates):
            return True
        return self._asks_without_training >= MAX_ASKS_WITHOUT_TRAINING

    def _count_ask_without_training(self) -> None:
        self._asks_without_training += 1
        if self._asks_without_training == MAX_ASKS_WITHOUT_TRAINING:
            log.warning(
                "the last %d configurations asked for were infeasible or measured already: the search space seems "
                "exhausted; widen the ranges or loosen the constraints.",
                MAX_ASKS_WITHOUT_TRAINING,
            )

    def _start(self, number: int, attempt: int, asked: AskedTrial, duplicate_of: int | None = None) -> None:
        launched = {"launch_id": self.study.launch_id, "attempt": attempt, "duplicate_of": duplicate_of}
        self.books.write(self.store.start_trial, number, attempt, asked, **launched)
        crash_point("after_row")

    def _skip(self, trial: Trial, reason: str, asked: AskedTrial) -> None:
        import optuna

        launch_id = self.study.launch_id
        self.books.write(self.store.skip_trial, trial.number, 1, asked, launch_id=launch_id, reason=reason)
        self.tally.skipped += 1
        self._count_ask_without_training()
        over = {bound.metric: over for bound, over in known_violations(self.spec, asked).items()}
        self.books.tell(trial.number, optuna.trial.TrialState.PRUNED, violations=over)

    def _follow(self, number: int, original: int, attempt: int, asked: AskedTrial) -> None:
        """The same configuration again: copy its result, at once or when it is there."""
        self._start(number, attempt, asked, duplicate_of=original)
        self._count_ask_without_training()
        self.tally.duplicates += 1
        if original in self._metrics:
            self._complete_duplicate(number, attempt, original)
        else:
            self._followers.setdefault(original, []).append((number, attempt))

    def _complete_duplicate(self, number: int, attempt: int, original: int) -> None:
        self.books.write(self.store.complete_duplicate, number, attempt, attempt)
        crash_point("after_commit")
        self.tell(number, self._metrics[original])

    def _end(self, number: int) -> Job:
        self.tally.running.discard(number)
        self.rules.forget(number)
        return self._jobs.pop(number)

    def _forget(self, number: int) -> None:
        """The configuration may be asked again, as after a restart: it was not measured."""
        self._by_hash = {key: known for key, known in self._by_hash.items() if known != number}

    def _prune(self, number: int, reason: str, result: TrialResult) -> None:
        job = self._end(number)
        self._forget(number)
        self._prune_row(number, job.attempt, reason, [result] if result.test else [])
        self.tally.pruned += 1
        self._keeper.end(number, self._metrics, self._jobs)
        for follower, attempt in self._followers.pop(number, []):
            self._prune_row(follower, attempt, f"the same configuration was stopped as trial {number}", [])

    def _prune_row(self, number: int, attempt: int, reason: str, results: Sequence[TrialResult]) -> None:
        import optuna

        self.books.write(self.store.prune_trial, number, attempt, attempt, reason, results)
        crash_point("after_commit")
        self.books.tell(number, optuna.trial.TrialState.PRUNED)
        crash_point("after_tell")
