"""Bulk reading of the trials of an Optuna study from its tables.

Optuna's own reading makes an object of each row, which takes minutes and gigabytes for a hundred thousand trials. Here
equal dictionaries are one object, and parameters drawn ahead are read of running trials alone.

Private API of Optuna (checked with 5.0.0): the tables of `optuna.storages._rdb.models`, and the attributes
`SAMPLER:relative_params:I`, which TPE and GP read of a trial while it runs.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from optuna.distributions import BaseDistribution, json_to_distribution
from optuna.trial import FrozenTrial, TrialState

from studies.database.connections import errors_explained

if TYPE_CHECKING:
    from optuna.storages import RDBStorage

DRAWN_AHEAD = "%:relative_params:%"
UNFINISHED = (TrialState.RUNNING, TrialState.WAITING)


def read_trials(storage: RDBStorage, study_id: int) -> list[FrozenTrial]:
    """Return the trials of a study as `storage.get_all_trials` does, in the order of their ids.

    Finished ones are without the attributes `*:relative_params:*` and share dictionaries: do not change these.
    """
    with errors_explained(storage.engine.url), storage.engine.connect() as connection:
        return _Tables(connection, study_id).trials()


class _Tables:
    """The rows of one study in Optuna's tables."""

    def __init__(self, connection: Any, study_id: int) -> None:
        from optuna.storages._rdb import models

        self._models = models
        self._connection = connection
        self._table: Any = models.TrialModel.__table__
        self._of_study = self._table.c.study_id == study_id

    def trials(self) -> list[FrozenTrial]:
        params, distributions = self._params()
        values, steps, none = self._values(), self._steps(), dict[str, Any]()
        user = self._attributes(self._models.TrialUserAttributeModel)
        system = self._attributes(self._models.TrialSystemAttributeModel)
        rows = self._connection.execute(self._table.select().where(self._of_study).order_by(self._table.c.trial_id))
        found = []
        for row in rows:
            read = [each.get(row.trial_id, none) for each in (params, distributions, user, system)]
            if row.state in UNFINISHED:  # Optuna's `Trial` adds to them what it draws
                read = [dict(one) for one in read]
            found.append(
                FrozenTrial(
                    number=row.number,
                    state=row.state,
                    value=None,
                    values=values.get(row.trial_id),
                    datetime_start=row.datetime_start,
                    datetime_complete=row.datetime_complete,
                    params=read[0],
                    distributions=read[1],
                    user_attrs=read[2],
                    system_attrs=read[3],
                    intermediate_values=steps.get(row.trial_id, {}),
                    trial_id=row.trial_id,
                )
            )
        return found

    def _params(self) -> tuple[dict[int, dict[str, Any]], dict[int, dict[str, BaseDistribution]]]:
        """Parameters and their distributions by trial; the dictionaries of equal distributions are one."""
        columns = ("trial_id", "param_name", "param_value", "distribution_json")
        kinds: dict[str, tuple[str, BaseDistribution]] = {}
        params: dict[int, dict[str, Any]] = defaultdict(dict)
        texts: dict[int, tuple[str, ...]] = defaultdict(tuple)
        for trial_id, name, value, text in self._rows(self._models.TrialParamModel, columns, "param_id"):
            key = f"{name} {text}"
            if key not in kinds:
                kinds[key] = (name, json_to_distribution(text))
            name, kind = kinds[key]
            params[trial_id][name] = kind.to_external_repr(value)
            texts[trial_id] += (key,)
        known: dict[tuple[str, ...], dict[str, BaseDistribution]] = {}
        for keys in texts.values():
            if keys not in known:
                known[keys] = dict(kinds[key] for key in keys)
        return params, {trial_id: known[keys] for trial_id, keys in texts.items()}

    def _values(self) -> dict[int, list[float]]:
        model, found = self._models.TrialValueModel, dict[int, list[float]]()
        columns = ("trial_id", "value", "value_type")
        for trial_id, value, kind in self._rows(model, columns, "trial_id", "objective"):
            found.setdefault(trial_id, []).append(model.stored_repr_to_value(value, kind))
        return found

    def _steps(self) -> dict[int, dict[int, float]]:
        model, found = self._models.TrialIntermediateValueModel, defaultdict[int, dict[int, float]](dict)
        columns = ("trial_id", "step", "intermediate_value", "intermediate_value_type")
        for trial_id, step, value, kind in self._rows(model, columns):
            found[trial_id][step] = model.stored_repr_to_intermediate_value(value, kind)
        return found

    def _attributes(self, model: Any) -> dict[int, dict[str, Any]]:
        found: dict[int, dict[str, Any]] = defaultdict(dict)
        unfinished = self._ids().where(self._table.c.state.in_(UNFINISHED))
        table = model.__table__
        is_read = table.c.key.not_like(DRAWN_AHEAD) | table.c.trial_id.in_(unfinished)
        for trial_id, key, text in self._rows(model, ("trial_id", "key", "value_json"), where=is_read):
            found[trial_id][key] = json.loads(text)
        return found

    def _ids(self) -> Any:
        return self._table.select().with_only_columns(self._table.c.trial_id).where(self._of_study)

    def _rows(self, model: Any, columns: tuple[str, ...], *order: str, where: Any = True) -> Iterator[Any]:
        table = model.__table__
        wanted = table.select().with_only_columns(*(table.c[name] for name in columns))
        wanted = wanted.where(table.c.trial_id.in_(self._ids()), where)
        ordered = wanted.order_by(*(table.c[name] for name in order))
        for some in self._connection.execution_options(yield_per=10_000).execute(ordered).partitions():
            yield from some
