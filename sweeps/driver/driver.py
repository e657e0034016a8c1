"""The single writer of a sweep: turns trials of Optuna into jobs and their results into rows; independent of Ray.

Order of writes for a trial: ask -> our row RUNNING -> train -> one transaction: runs and our row COMPLETE -> tell.
After an interruption between any two of them, `sweeps.driver.reconcile` completes the rest at the next start.
"""

from __future__ import annotations

import logging
import math
import time
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hnet_core.config_validation import parse_trial
from hnet_core.errors import ConfigInvalid, HnetError
from hnet_core.trial import TrialResult
from studies.spec.conditions import FAMILY
from studies.spec.spec import SweepSpec
from studies.store.store import Store
from studies.store.suggested_trial import SuggestedTrial
from sweeps.driver.checkpoint_retention import CheckpointRetention
from sweeps.driver.failure_guard import FailureGuard, Verdict
from sweeps.driver.state import DriverState
from sweeps.driver.suggestions import invalid_trial, static_violations, suggested_trial
from sweeps.driver.trial_recorder import GAVE_UP, StudyHandle, TrialRecorder
from sweeps.failures import ends_sweep, failure_of
from sweeps.fault_injection import failpoint
from sweeps.jobs import Failure, Job, JobProgress, Message, Success
from sweeps.search.early_stopping import StoppingRules
from sweeps.search.objectives import gather, joined

if TYPE_CHECKING:
    import optuna

    from sweeps.driver.counters import Counters

MAX_ASKS_WITHOUT_TRAINING = 200

log = logging.getLogger("hnet")


class Driver:
    """Hands out the jobs of a study and receives their messages.

    Attributes:
        state: trials and jobs known so far.
        stopping: set to hand out no further job; running ones may finish.
        aborted: reason to end the sweep at once, writing nothing more; the backend then ends the running jobs.
        deadline: time.monotonic() at which the hours of the budget end.
        rules: early stopping and racing.
        guarded: why the guard has set `stopping`, None if it has not.
        preemptions: attempts of each trial that ended with their node.
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
        self.recorder = TrialRecorder(store, optuna_study, spec, study, lambda: self.aborted is not None)
        self.state = DriverState()
        self.stopping = False
        self.aborted: BaseException | None = None
        self.deadline = deadline
        self.rules = StoppingRules(spec)
        self._retention = CheckpointRetention(spec, study.checkpoints)
        self.guarded: Verdict | None = None
        self.preemptions: Counter[int] = Counter()
        self._guard = FailureGuard(spec.limits.failures)
        self._worker_failures: Counter[int] = Counter()
        self._asks_without_training = 0
        self._skip_reasons: set[str] = set()
        self._asked_ahead: deque[tuple[int, dict[str, Any]]] = deque()

    @property
    def counters(self) -> Counters:
        """Numbers of trials by state."""
        return self.state.counters

    def abort(self, why: BaseException) -> None:
        """End the sweep at once; running trials stay RUNNING and resume from their checkpoints at the next start."""
        if isinstance(why, OSError):
            reason = failure_of(why).reason
            why = HnetError(f"the sweep cannot continue: {reason}; fix that and start the same command again.")
        self.aborted = self.aborted or why
        self.stopping = True

    def delete_unneeded_checkpoints(self) -> None:
        """Delete all checkpoints but those of waiting jobs and kept trials; before the first job and after the last."""
        self._retention.delete_unneeded(self.state.metrics, {job.number for job in self.state.waiting})

    # Jobs out.

    @property
    def finished(self) -> bool:
        """True when no further job will come."""
        return self.stopping or not (self._has_work or self._may_ask)

    @property
    def _has_work(self) -> bool:
        return bool(self.state.waiting or self.state.duplicates)

    @property
    def _may_ask(self) -> bool:
        return bool(self._asked_ahead) or not self._budget_is_spent()

    @property
    def n_left(self) -> int | None:
        """Trials that are still to be trained, running ones included; None where only time ends the sweep."""
        waiting, planned = len(self.state.waiting) + len(self.state.jobs), self.spec.planned_trials
        if self.finished:
            return len(self.state.jobs)
        return None if planned is None else waiting + max(0, planned - self.counters.asked)

    def ask_ahead(self) -> None:
        """Ask the sampler, which may take long, for the next trial before a worker is free.

        Its row is written when it is handed out; one that never is gets its row when the study is resumed.
        """
        if not (self.stopping or self._has_work or self._asked_ahead or self._budget_is_spent()):
            self._asked_ahead.append(self._ask())

    def _ask(self) -> tuple[int, dict[str, Any]]:
        number = self.recorder.ask(self._is_known)
        failpoint("after_ask")
        return number, self.recorder.suggest(number)

    def _is_known(self, number: int) -> bool:
        return number in self.state.begun or any(number == ahead for ahead, _ in self._asked_ahead)

    def next_job(self) -> Job | None:
        """Hand out the next job; None if there is none now (see `finished`)."""
        if self.stopping:
            return None
        while not self.finished and not self._has_work:
            self.begin(*(self._asked_ahead.popleft() if self._asked_ahead else self._ask()))
        return None if self.stopping else self.state.hand_out()

    def begin(self, number: int, params: Mapping[str, Any], attempt: int = 1) -> None:
        """Queue, skip or copy a trial that the sampler has suggested, and write its row.

        One that cannot be built or stored is made FAILED.
        """
        self.state.begun.add(number)
        try:
            self._begin(number, params, attempt)
        except Exception as error:
            if ends_sweep(error):
                raise
            self._fail_untrained(number, params, attempt, failure_of(error))

    def _begin(self, number: int, params: Mapping[str, Any], attempt: int) -> None:
        block = self.spec.block(params)
        data_root = self.study.data_root
        try:
            config = parse_trial(block)
            trial = suggested_trial(config, params, data_root)
        except ConfigInvalid as error:
            # The spec was checked at the ends of every range; only a combination of values can still be impossible.
            self._skip(number, f"impossible combination: {error}", invalid_trial(block, params, self.spec, data_root))
            return
        broken = [str(bound) for bound, over in static_violations(self.spec, trial).items() if over > 0]
        if broken:
            self._skip(number, f"infeasible: {', '.join(broken)} does not hold", trial)
        elif (original := self.state.claim(trial.config_hash, number)) != number:
            self._copy_result(number, original, attempt, trial)
        else:
            self.recorder.start(number, attempt, trial)
            self.counters.asked += 1
            self._asks_without_training = 0
            lengths = self.rules.lengths(config, Path(data_root))
            more: dict[str, Any] = {"rungs": self.rules.rungs(lengths), "lengths": lengths}
            more["request"] = self.spec.request(config, params.get(FAMILY))
            self.state.waiting.append(self.job(number, attempt, trial.config, range(self.spec.seeds), **more))

    def job(self, number: int, attempt: int, config: Mapping[str, Any], seeds: Sequence[int], **more: Any) -> Job:
        """A job of this study, with the rules and the checkpoints of its trial."""
        more |= {"race": self.rules.races, "via_driver": self.study.via_driver, "rung_unit": self.rules.rung_unit}
        more |= {"checkpoint_minutes": self.spec.limits.checkpoint_minutes}
        location = self._retention.location(number)
        return Job(number, attempt, config, tuple(seeds), self.study.data_root, location, **more)

    def _fail_untrained(self, number: int, params: Mapping[str, Any], attempt: int, failure: Failure) -> None:
        log.warning("trial %d failed: %s", number, failure.reason)
        trial = invalid_trial(self.spec.block(params), params, self.spec, self.study.data_root)
        self.state.failures[number] = failure.reason
        self.recorder.start(number, attempt, trial)
        self.recorder.fail(number, attempt, failure.reason, failure.traceback)
        self.counters.asked += 1
        self.counters.failed += 1
        self._count_ask_without_training()
        self._count_failure(number, failure)

    def _skip(self, number: int, reason: str, trial: SuggestedTrial) -> None:
        violations = {bound.metric: over for bound, over in static_violations(self.spec, trial).items()}
        self.recorder.skip(number, trial, reason, violations)
        self.counters.skipped += 1
        if reason not in self._skip_reasons:  # hundreds of trials may break one constraint
            self._skip_reasons.add(reason)
            log.info("trial %d skipped: %s", number, reason)
        self._count_ask_without_training()

    def _copy_result(self, number: int, original: int, attempt: int, trial: SuggestedTrial) -> None:
        """End a trial as another one of the same configuration: at once, or when that has ended."""
        self.recorder.start(number, attempt, trial, duplicate_of=original)
        self._count_ask_without_training()
        self.counters.duplicates += 1
        if original in self.state.metrics:
            self.recorder.complete_duplicate(number, attempt, self.state.metrics[original])
        elif original in self.state.failures:
            self._fail_duplicate(number, attempt, original, self.state.failures[original])
        else:
            self.state.duplicates.setdefault(original, []).append((number, attempt))

    def _count_ask_without_training(self) -> None:
        self._asks_without_training += 1
        if self._asks_without_training == MAX_ASKS_WITHOUT_TRAINING:
            log.warning(
                "the last %d configurations asked for were infeasible, measured already or known to fail: the search "
                "space seems exhausted; widen the ranges or loosen the constraints.",
                MAX_ASKS_WITHOUT_TRAINING,
            )

    def _budget_is_spent(self) -> bool:
        counters = self.counters
        is_late = time.monotonic() >= self.deadline
        if is_late or self.spec.has_asked_all(counters.asked, counters.skipped + counters.duplicates):
            return True
        return self._asks_without_training >= MAX_ASKS_WITHOUT_TRAINING

    # Messages in.

    def receive(self, number: int, message: Message) -> bool:
        """Process a message of a running job; return whether the job continues.

        A message that cannot be processed, or a result that cannot be stored, fails its trial.

        Raises:
            Exception: an error that every trial would meet, see `ends_sweep`.
        """
        job = self.state.jobs[number]
        try:
            return self._process(number, message)
        except Exception as error:
            if ends_sweep(error):
                raise
            self.state.jobs.setdefault(number, job)  # the error may have come after its end
            self.fail(number, replace(failure_of(error), kind="trial"))
            return False

    def _process(self, number: int, message: Message) -> bool:
        if isinstance(message, JobProgress):
            return self._continues(number, message)
        if isinstance(message, Success):
            self.complete(number, [TrialResult.from_dict(result) for result in message.results])
        else:
            self.fail(number, message)
        return False

    def _continues(self, number: int, progress: JobProgress) -> bool:
        """Apply early stopping and racing to a job; if it ends here, its result is written."""
        if progress.so_far is None:
            return True
        job, result = self.state.jobs[number], TrialResult.from_dict(progress.so_far)
        reason = self.rules.reason_to_stop(job, result, progress.within, partial(self.recorder.note_rung, number))
        if reason is not None:
            self._prune(number, reason, result.rows(len(result.test) - (progress.within > 0)))
            return False
        enough = self.rules.enough_seeds(job, result, self.state.metrics.get(number))
        if enough is not None:
            self.complete(number, enough)
            return False
        return True

    def complete(self, number: int, runs: Sequence[TrialResult]) -> None:
        """Store the results of a job whose seeds are trained."""
        job, metrics = self._end(number), gather(runs)
        if job.purpose == "more_seeds":
            self.recorder.add_seeds(number, job.attempt, runs)
            metrics = joined(self.state.metrics[number], metrics)
        else:
            self.recorder.complete(number, job.attempt, runs, metrics)
            self.counters.complete += 1
            self._guard.trial_ended_well()
        self.state.measure(self.spec, number, metrics)
        self.rules.add_finished(number, metrics)
        self._retention.trial_ended(number, self.state.metrics, self.state.jobs)
        for duplicate, attempt in self.state.duplicates.pop(number, []):
            self.recorder.complete_duplicate(duplicate, attempt, metrics)

    def fail(self, number: int, failure: Failure) -> None:
        """End a job without a result: retry it, abort the sweep, or make the trial FAILED."""
        if failure.kind == "environment":
            self.abort(HnetError(f"trial {number} cannot continue: {failure.reason}; fix that and start again."))
            return
        if self._may_retry(number, failure):
            self._retry(number, failure)
            return
        job = self._end(number)
        self._retention.trial_ended(number, self.state.metrics, self.state.jobs)
        if job.purpose == "more_seeds":
            log.warning("trial %d: further seeds failed, the finished ones are kept: %s", number, failure.reason)
            self.counters.seeds_failed += 1
            return
        reason = failure.reason
        if failure.kind in ("worker", "node"):  # another may succeed, when the configuration is asked for again
            reason = f"{GAVE_UP}{job.attempt} attempts: {reason}"
            self.state.forget_configuration(number)
        else:
            self.state.failures[number] = reason
        log.warning("trial %d failed: %s", number, reason)
        self.recorder.fail(number, job.attempt, reason, failure.traceback)
        self.counters.failed += 1
        self._count_failure(number, replace(failure, reason=reason))
        for duplicate, attempt in self.state.duplicates.pop(number, []):
            self._fail_duplicate(duplicate, attempt, number, reason)

    def _fail_duplicate(self, number: int, attempt: int, original: int, reason: str) -> None:
        self.recorder.fail(number, attempt, f"the same configuration failed as trial {original}: {reason}")

    def _count_failure(self, number: int, failure: Failure) -> None:
        """Note a failure that is not the node's; too many end the sweep, if it has anything left to do."""
        if failure.kind == "node":
            return
        self._guard.trial_failed(number, failure.reason, failure.traceback)
        verdict = self._guard.verdict()
        if verdict is not None and not self.finished:
            self.guarded, self.stopping = verdict, True
            if self.counters.running:
                log.warning("Stopping: %s; waiting for %d running.", verdict.finding, len(self.counters.running))

    def _may_retry(self, number: int, failure: Failure) -> bool:
        limits = self.spec.limits
        if failure.kind == "node":
            return self.preemptions[number] < limits.preemptions
        return failure.kind == "worker" and self._worker_failures[number] < limits.retries

    def _retry(self, number: int, failure: Failure) -> None:
        """Queue the next attempt of a job, before all other jobs; it resumes from the last checkpoint."""
        job = self.state.take_back(number)
        if failure.kind == "node":
            self.preemptions[number] += 1
            self.counters.preempted += 1
            self.recorder.note_preemption(number, self.preemptions[number])
        else:
            self._worker_failures[number] += 1
        retried = replace(job, attempt=job.attempt + 1)
        log.warning("trial %d: %s; attempt %d follows", number, failure.reason, retried.attempt)
        if job.purpose == "trial":
            self.recorder.retry(number, retried.attempt)
        self.state.waiting.appendleft(retried)

    def _prune(self, number: int, reason: str, result: TrialResult) -> None:
        job = self._end(number)
        self.state.forget_configuration(number)
        self.recorder.prune(number, job.attempt, reason, [result] if result.test else [])
        self.counters.pruned += 1
        self._guard.trial_ended_well()
        self._retention.trial_ended(number, self.state.metrics, self.state.jobs)
        for duplicate, attempt in self.state.duplicates.pop(number, []):
            self.recorder.prune(duplicate, attempt, f"the same configuration was stopped as trial {number}")

    def _end(self, number: int) -> Job:
        self.rules.forget(number)
        return self.state.take_back(number)
