"""Writes the state of each trial to both records of a study: our rows, then Optuna's trials.

Private API of Optuna (checked with 5.0.0): a study gives back a trial that is still RUNNING, as an interrupted driver
leaves it, only through `Study._storage`, `Study._study_id` and `FrozenTrial._trial_id`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hnet_core.trial import TrialResult
from studies.spec.spec import SweepSpec
from studies.store.store import Store, TrialFinished
from studies.store.suggested_trial import SuggestedTrial
from sweeps.driver.database_retry import DatabaseRetry, warn_of_database
from sweeps.failures import ends_sweep, failure_of
from sweeps.fault_injection import failpoint
from sweeps.search.distributions import suggest
from sweeps.search.moasha import Score
from sweeps.search.objectives import Metrics, values_to_tell, violations

if TYPE_CHECKING:
    import optuna
    from optuna.trial import FrozenTrial, Trial, TrialState


log = logging.getLogger("hnet")

GAVE_UP = "gave up after "  # begins the reason of a failure that is not the trial's own
RUNG = "rung "  # and its number: the user attribute of Optuna's trial that holds the score there
PREEMPTED = "preempted"  # the user attribute that counts the attempts of a trial that ended with their node


@dataclass(frozen=True)
class StudyHandle:
    """The study a driver writes to.

    Attributes:
        checkpoints: path or URI for those of its running trials.
        via_driver: workers cannot reach that path; see `sweeps.jobs.Job`.
    """

    id: int
    name: str
    launch_id: int
    data_root: str
    checkpoints: str
    via_driver: bool = False


def noted_rungs(trial: FrozenTrial) -> dict[int, Score]:
    """Read the scores that `TrialRecorder.note_rung` wrote for a trial, by rung."""
    found = {key.removeprefix(RUNG): value for key, value in trial.user_attrs.items() if key.startswith(RUNG)}
    return {int(rung): Score(tuple(costs), violation) for rung, (violation, *costs) in found.items()}


class TrialRecorder:
    """The only writer of the trials of a study; a call is repeated while the database is unreachable.

    An attempt that a newer one has superseded can write nothing.

    Args:
        given_up: stops the repetitions.
    """

    def __init__(
        self,
        store: Store,
        optuna_study: optuna.Study,
        spec: SweepSpec,
        study: StudyHandle,
        given_up: Callable[[], bool],
    ) -> None:
        self._store = store
        self._optuna = optuna_study
        self._spec = spec
        self._study = study
        self._retry = DatabaseRetry(given_up)
        self._ask_was_cut_off = False
        self._sampler_is_slow = False

    # Before training.

    def ask(self, is_known: Callable[[int], bool]) -> int:
        """Ask the sampler for a trial; return its number.

        Args:
            is_known: of a number, if it was asked for before; another one is of an ask that failed after Optuna had
                stored it.
        """
        return self._retry(self._ask, is_known, on_slow=self._warn_of_slow_ask)

    def _ask(self, is_known: Callable[[int], bool]) -> int:
        import optuna

        if self._ask_was_cut_off:
            for trial in self._optuna.get_trials(deepcopy=False, states=(optuna.trial.TrialState.RUNNING,)):
                if not is_known(trial.number):
                    self._ask_was_cut_off = False
                    return trial.number
        self._ask_was_cut_off = True
        number = self._optuna.ask().number
        self._ask_was_cut_off = False
        return number

    def suggest(self, number: int) -> dict[str, Any]:
        """Draw the parameters of a trial; those drawn before keep their values."""
        return self._retry(lambda: suggest(self._spec.space, self._trial(number)), on_slow=self._warn_of_slow_ask)

    def _warn_of_slow_ask(self) -> None:
        """Warn of the database, or once of the sampler, whichever is at work."""
        if getattr(self._optuna._storage, "is_calling", True):
            warn_of_database()
        elif not self._sampler_is_slow:
            self._sampler_is_slow = True
            log.warning("The sampler %s takes more than 10 s to suggest a trial.", self._spec.sampler)

    def skip(self, number: int, trial: SuggestedTrial, reason: str, broken: Mapping[str, float]) -> None:
        """Make a trial SKIPPED, which is PRUNED for Optuna.

        Args:
            broken: violation of each constraint that the configuration alone decides, by metric.
        """
        import optuna

        launch_id = self._study.launch_id
        self._write(
            number,
            1,
            lambda: self._store.skip_trial(self._study.id, number, trial, launch_id=launch_id, reason=reason),
        )
        self.tell(number, optuna.trial.TrialState.PRUNED, broken=broken)

    def start(self, number: int, attempt: int, trial: SuggestedTrial, duplicate_of: int | None = None) -> None:
        """Make a trial RUNNING, or begin a further attempt of it."""
        self._write(
            number,
            attempt,
            lambda: self._store.start_trial(
                self._study.id,
                number,
                trial,
                launch_id=self._study.launch_id,
                attempt=attempt,
                duplicate_of=duplicate_of,
            ),
        )
        failpoint("after_row")

    def retry(self, number: int, attempt: int) -> None:
        """Begin a further attempt of a trial whose worker died."""
        self._write(number, attempt, lambda: self._store.retry_trial(self._study.id, number, attempt))

    def note_preemption(self, number: int, n_preempted: int) -> None:
        """Store how many attempts of a trial ended with their node, for a resumed study."""
        self._retry(lambda: self._trial(number).set_user_attr(PREEMPTED, n_preempted))

    # While training.

    def note_rung(self, number: int, rung: int, score: Score) -> None:
        """Store the score of a trial at a rung, for a resumed study."""
        self._retry(lambda: self._trial(number).set_user_attr(f"{RUNG}{rung}", [score.violation, *score.costs]))

    # After training.

    def complete(self, number: int, attempt: int, runs: Sequence[TrialResult], metrics: Metrics) -> None:
        """Make a trial COMPLETE with all its runs."""
        self._write(number, attempt, lambda: self._store.complete_trial(self._study.id, number, attempt, runs))
        failpoint("after_commit")
        self.tell_metrics(number, metrics)
        failpoint("after_tell")

    def complete_duplicate(self, number: int, attempt: int, metrics: Metrics) -> None:
        """Make a trial COMPLETE that has the runs of the trial it duplicates."""
        self._write(number, attempt, lambda: self._store.complete_duplicate(self._study.id, number, attempt))
        failpoint("after_commit")
        self.tell_metrics(number, metrics)

    def add_seeds(self, number: int, attempt: int, runs: Sequence[TrialResult]) -> None:
        """Add runs to a COMPLETE trial; Optuna keeps the value it was told."""
        self._write(number, attempt, lambda: self._store.add_runs(self._study.id, number, runs))

    def prune(self, number: int, attempt: int, reason: str, runs: Sequence[TrialResult] = ()) -> None:
        """Make a trial PRUNED, with the runs measured so far."""
        import optuna

        self._write(number, attempt, lambda: self._store.prune_trial(self._study.id, number, attempt, reason, runs))
        failpoint("after_commit")
        self.tell(number, optuna.trial.TrialState.PRUNED)
        failpoint("after_tell")

    def fail(self, number: int, attempt: int, reason: str, traceback: str | None = None) -> None:
        """Make a trial FAILED."""
        import optuna

        self._write(number, attempt, lambda: self._store.fail_trial(self._study.id, number, attempt, reason, traceback))
        self.tell(number, optuna.trial.TrialState.FAIL)

    # Optuna's record alone.

    def tell_metrics(self, number: int, metrics: Metrics) -> None:
        """Tell Optuna the means over seeds and the violation of each constraint."""
        import optuna

        values = values_to_tell(self._spec, metrics)
        state = optuna.trial.TrialState.COMPLETE if values is not None else optuna.trial.TrialState.FAIL
        self.tell(number, state, values, violations(self._spec, metrics))

    def tell(
        self,
        number: int,
        state: TrialState,
        values: Sequence[float] | None = None,
        broken: Mapping[str, float] | None = None,
    ) -> None:
        """End a trial for Optuna; one that has ended stays as it is.

        Our row is written already and stays: where Optuna refuses what it is told, the trial is FAIL for it, so that
        the sampler learns nothing from it, and if that is refused too, RUNNING until the next start.
        """
        import optuna

        failed = optuna.trial.TrialState.FAIL
        try:
            self._tell(number, state, values, broken)
        except Exception as error:
            if ends_sweep(error):
                raise
            log.warning("trial %d is stored, but the sampler refuses its result: %s", number, failure_of(error).reason)
            if state != failed:
                self.tell(number, failed)

    def _tell(
        self,
        number: int,
        state: TrialState,
        values: Sequence[float] | None,
        broken: Mapping[str, float] | None,
    ) -> None:
        def tell() -> None:
            trial = self._trial(number)
            stored = self._optuna._storage.get_trial_system_attrs(trial._trial_id) if broken else {}
            for name, violation in (broken or {}).items():
                if not any(key.endswith(f":{name}") for key in stored):  # set before an interruption
                    trial.set_constraint(name, violation)
            self._optuna.tell(number, values, state=state, skip_if_finished=True)

        self._retry(tell)

    def _write(self, number: int, attempt: int, call: Callable[[], None]) -> None:
        """Write to our tables.

        A repeated call that is refused has succeeded before if the row is of this attempt: the first call was committed
        and only its confirmation was lost.
        """

        def write() -> bool:
            call()
            return True

        def was_done(error: Exception) -> bool | None:
            refused = isinstance(error, (TrialFinished, ValueError))
            return True if refused and self._store.attempt_of(self._study.id, number) == attempt else None

        self._retry(write, settled=was_done)

    def _trial(self, number: int) -> Trial:
        """Optuna's trial of a number, to suggest and to tell."""
        import optuna

        storage = self._optuna._storage
        trial_id = storage.get_trial_id_from_study_id_trial_number(self._optuna._study_id, number)
        return optuna.trial.Trial(self._optuna, trial_id)
