"""Write-through cache of Optuna's storage for the only writer of a study.

Private API of Optuna (checked with 5.0.0): `FrozenTrial._trial_id`, the id by which a storage addresses a trial, and
`RDBStorage._set_trial_param`, which takes the earlier distribution of a parameter instead of querying for it.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Container, Sequence
from datetime import datetime
from typing import Any, TypeVar

from optuna.distributions import BaseDistribution
from optuna.exceptions import StorageInternalError
from optuna.storages import BaseStorage, RDBStorage
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from studies.database.connections import outage_of
from sweeps.search.optuna_trials import read_trials

Result = TypeVar("Result")


class CachedStorage(BaseStorage):
    """Forwards every write to another storage, and reads the trials of a study from memory.

    Between asking for a trial and telling its result Optuna reads the trial about twenty times, and a storage in SQL
    each time queries for writes of others. The lease of a study ensures that there are none. The effect of a failed
    write is unknown, so after one everything is read again. Not thread-safe.

    Args:
        backend: stores the study.
        study_id: the only study whose trials can be read.

    Attributes:
        is_calling: a call of the other storage is in progress.
    """

    def __init__(self, backend: BaseStorage, study_id: int) -> None:
        self._backend = backend
        self._study_id = study_id
        self._study_attrs: dict[str, Any] = {}
        self._trials: dict[int, FrozenTrial] = {}  # by id, in the order of their numbers
        self._distributions: dict[str, BaseDistribution] = {}  # of any earlier trial, by parameter
        self._is_current = False
        self.is_calling = False

    # The trials.

    def create_new_trial(self, study_id: int, template_trial: FrozenTrial | None = None) -> int:
        self._read(study_id)
        trial_id = self._call(self._backend.create_new_trial, study_id, template_trial)
        self._read_trial(trial_id)
        return trial_id

    def set_trial_param(
        self, trial_id: int, param_name: str, param_value_internal: float, distribution: BaseDistribution
    ) -> None:
        before = self.get_trial(trial_id)
        earlier = self._distributions.get(param_name)
        if earlier is not None and isinstance(self._backend, RDBStorage):
            self._call(
                self._backend._set_trial_param, trial_id, param_name, param_value_internal, distribution, earlier
            )
        else:
            self._call(self._backend.set_trial_param, trial_id, param_name, param_value_internal, distribution)
        self._distributions[param_name] = distribution
        value = distribution.to_external_repr(param_value_internal)
        self._change(
            before,
            params={**before.params, param_name: value},
            distributions={**before.distributions, param_name: distribution},
        )

    def set_trial_state_values(self, trial_id: int, state: TrialState, values: Sequence[float] | None = None) -> bool:
        before = self.get_trial(trial_id)
        is_changed = self._call(self._backend.set_trial_state_values, trial_id, state, values)
        if state.is_finished():
            final = before.values if values is None else list(values)
            self._change(before, state=state, values=final, datetime_complete=datetime.now())
        else:
            self._read_trial(trial_id)
        return is_changed

    def set_trial_intermediate_value(self, trial_id: int, step: int, intermediate_value: float) -> None:
        self._call(self._backend.set_trial_intermediate_value, trial_id, step, intermediate_value)
        self._read_trial(trial_id)

    def set_trial_user_attr(self, trial_id: int, key: str, value: Any) -> None:
        before = self.get_trial(trial_id)
        self._call(self._backend.set_trial_user_attr, trial_id, key, value)
        self._change(before, user_attrs={**before.user_attrs, key: _as_read(value)})

    def set_trial_system_attr(self, trial_id: int, key: str, value: Any) -> None:
        before = self.get_trial(trial_id)
        self._call(self._backend.set_trial_system_attr, trial_id, key, value)
        self._change(before, system_attrs={**before.system_attrs, key: _as_read(value)})

    def get_trial(self, trial_id: int) -> FrozenTrial:
        self._read(self._study_id)
        return self._trials[trial_id]

    def get_all_trials(
        self, study_id: int, deepcopy: bool = True, states: Container[TrialState] | None = None
    ) -> list[FrozenTrial]:
        self._read(study_id)
        trials = [trial for trial in self._trials.values() if states is None or trial.state in states]
        return copy.deepcopy(trials) if deepcopy else trials

    # The study.

    def create_new_study(self, directions: Sequence[StudyDirection], study_name: str | None = None) -> int:
        return self._backend.create_new_study(directions, study_name)

    def delete_study(self, study_id: int) -> None:
        self._call(self._backend.delete_study, study_id)

    def set_study_user_attr(self, study_id: int, key: str, value: Any) -> None:
        self._backend.set_study_user_attr(study_id, key, value)

    def set_study_system_attr(self, study_id: int, key: str, value: Any) -> None:
        self._read(study_id)
        self._call(self._backend.set_study_system_attr, study_id, key, value)
        self._study_attrs[key] = _as_read(value)

    def get_study_id_from_name(self, study_name: str) -> int:
        return self._backend.get_study_id_from_name(study_name)

    def get_study_name_from_id(self, study_id: int) -> str:
        return self._backend.get_study_name_from_id(study_id)

    def get_study_directions(self, study_id: int) -> list[StudyDirection]:
        return self._backend.get_study_directions(study_id)

    def get_study_user_attrs(self, study_id: int) -> dict[str, Any]:
        return self._backend.get_study_user_attrs(study_id)

    def get_study_system_attrs(self, study_id: int) -> dict[str, Any]:
        self._read(study_id)
        return dict(self._study_attrs)

    def get_all_studies(self) -> list[Any]:
        return self._backend.get_all_studies()

    # The cache.

    def _read(self, study_id: int) -> None:
        if study_id != self._study_id:
            raise KeyError(f"study_id must be {self._study_id}, the only study cached, got {study_id}.")
        if not self._is_current:
            if isinstance(self._backend, RDBStorage):
                trials = read_trials(self._backend, study_id)
            else:
                trials = self._backend.get_all_trials(study_id, deepcopy=False)
            self._trials = {trial._trial_id: trial for trial in trials}
            self._distributions = {name: each for trial in trials for name, each in trial.distributions.items()}
            self._study_attrs = dict(self._backend.get_study_system_attrs(study_id))
            self._is_current = True

    def _read_trial(self, trial_id: int) -> None:
        self._trials[trial_id] = self._call(self._backend.get_trial, trial_id)

    def _call(self, call: Callable[..., Result], *values: Any) -> Result:
        """Call the backend; if that fails, the cache is stale.

        Raises:
            DatabaseUnreachable: in place of Optuna's error, where the database cannot be used now; it names the remedy.
        """
        was_current, self._is_current = self._is_current, False
        self.is_calling = True
        try:
            result = call(*values)
        except StorageInternalError as error:
            outage = outage_of(self._backend.engine.url, error) if isinstance(self._backend, RDBStorage) else None
            if outage is not None:
                raise outage from error
            raise
        finally:
            self.is_calling = False
        self._is_current = was_current
        return result

    def _change(self, before: FrozenTrial, **attributes: Any) -> None:
        """Cache a changed copy: a trial that was returned before must not change."""
        after = copy.copy(before)
        for name, value in attributes.items():
            setattr(after, name, value)
        self._trials[after._trial_id] = after


def _as_read(value: Any) -> Any:
    """Return an attribute as the backend would, which stores it as JSON."""
    return json.loads(json.dumps(value))
