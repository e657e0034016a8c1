"""Both memories of a study, our rows and Optuna's trials; an outage of the database is waited out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from studies.store.store import Store, TrialFinished
from sweeps.driver.database_retry import DatabaseRetry
from sweeps.search.moasha import Score

if TYPE_CHECKING:
    import optuna
    from optuna.trial import FrozenTrial, Trial, TrialState


RUNG = "rung "  # and its number: the user attribute of Optuna's trial that holds the score there


def noted_rungs(trial: FrozenTrial) -> dict[int, Score]:
    """The scores that were noted for a trial."""
    found = {key.removeprefix(RUNG): value for key, value in trial.user_attrs.items() if key.startswith(RUNG)}
    return {int(rung): Score(tuple(costs), violation) for rung, (violation, *costs) in found.items()}


class TrialRecorder:
    """Writes of one driver.

    Attributes:
        store: our tables.
        optuna: the sampler's study.
    """

    def __init__(self, store: Store, optuna_study: optuna.Study, study_id: int, given_up: Callable[[], bool]) -> None:
        self.store = store
        self.optuna = optuna_study
        self.retry = DatabaseRetry(given_up)
        self._study_id = study_id
        self._ask_was_cut_off = False

    def ask(self, known: Collection[int]) -> Trial:
        """A new trial of the sampler.

        Args:
            known: numbers asked for before; one beyond them is of an ask whose answer was lost with the database.
        """
        return self.retry(self._ask, known)

    def _ask(self, known: Collection[int]) -> Trial:
        import optuna

        if self._ask_was_cut_off:
            for trial in self.optuna.get_trials(deepcopy=False, states=(optuna.trial.TrialState.RUNNING,)):
                if trial.number not in known:
                    self._ask_was_cut_off = False
                    return self.trial(trial.number)
        self._ask_was_cut_off = True
        asked = self.optuna.ask()
        self._ask_was_cut_off = False
        return asked

    def write(self, call: Callable[..., None], number: int, attempt: int, /, *args: Any, **values: Any) -> None:
        """Write to our tables; what is refused after an outage because it is there already is done."""

        def write() -> bool:
            call(self._study_id, number, *args, **values)
            return True

        def settled(error: Exception) -> bool | None:
            refused = isinstance(error, (TrialFinished, ValueError))
            return True if refused and self.store.attempt_of(self._study_id, number) == attempt else None

        self.retry(write, settled=settled)

    def tell(
        self,
        number: int,
        state: TrialState,
        values: Sequence[float] | None = None,
        violations: Mapping[str, float] | None = None,
    ) -> None:
        """End a trial for the sampler; once it has ended, nothing changes."""

        def tell() -> None:
            trial = self.trial(number)
            there = self.optuna._storage.get_trial_system_attrs(trial._trial_id) if violations else {}
            for name, violation in (violations or {}).items():
                if not any(key.endswith(f":{name}") for key in there):  # told before an interruption
                    trial.set_constraint(name, violation)
            self.optuna.tell(number, values, state=state, skip_if_finished=True)

        self.retry(tell)

    def note_rung(self, number: int, rung: int, score: Score) -> None:
        """Keep what a trial was worth at a rung, for a study that goes on."""
        self.retry(lambda: self.trial(number).set_user_attr(f"{RUNG}{rung}", [score.violation, *score.costs]))

    def trial(self, number: int) -> Trial:
        """The sampler's trial of that number, to suggest and to tell."""
        import optuna

        storage = self.optuna._storage
        trial_id = storage.get_trial_id_from_study_id_trial_number(self.optuna._study_id, number)
        return optuna.trial.Trial(self.optuna, trial_id)
