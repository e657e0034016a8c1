"""Bulk reading of the trials of an Optuna study from its tables.

Optuna's own reading makes an object of each row, which takes minutes and gigabytes for a hundred thousand trials.

Private API of Optuna (checked with 5.0.0): the tables of `optuna.storages._rdb.models`.
"""

from __future__ import annotations

import functools
import json
from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from optuna.distributions import json_to_distribution
from optuna.trial import FrozenTrial

from studies.database.connections import errors_explained

if TYPE_CHECKING:
    from optuna.storages import RDBStorage


def read_trials(storage: RDBStorage, study_id: int) -> list[FrozenTrial]:
    """Return the trials of a study as `storage.get_all_trials` does, in the order of their ids."""
    from optuna.storages._rdb import models
    from optuna.storages._rdb.models import TrialIntermediateValueModel, TrialValueModel

    distribution = functools.cache(json_to_distribution)
    trials = models.TrialModel.__table__
    of_study = trials.c.study_id == study_id
    ids = trials.select().where(of_study).with_only_columns(trials.c.trial_id)

    with errors_explained(storage.engine.url), storage.engine.connect() as connection:

        def rows_of(model: Any, *order: str) -> Iterator[Any]:
            table = model.__table__
            found = table.select().where(table.c.trial_id.in_(ids)).order_by(*(table.c[name] for name in order))
            yield from connection.execution_options(yield_per=10_000).execute(found)

        params: dict[int, dict[str, Any]] = defaultdict(dict)
        distributions: dict[int, dict[str, Any]] = defaultdict(dict)
        for row in rows_of(models.TrialParamModel, "param_id"):
            kind = distribution(row.distribution_json)
            params[row.trial_id][row.param_name] = kind.to_external_repr(row.param_value)
            distributions[row.trial_id][row.param_name] = kind
        values: dict[int, list[float]] = defaultdict(list)
        for row in rows_of(models.TrialValueModel, "trial_id", "objective"):
            values[row.trial_id].append(TrialValueModel.stored_repr_to_value(row.value, row.value_type))
        attributes: list[dict[int, dict[str, Any]]] = []
        for model in (models.TrialUserAttributeModel, models.TrialSystemAttributeModel):
            of_trial: dict[int, dict[str, Any]] = defaultdict(dict)
            for row in rows_of(model):
                of_trial[row.trial_id][row.key] = json.loads(row.value_json)
            attributes.append(of_trial)
        steps: dict[int, dict[int, float]] = defaultdict(dict)
        as_value = TrialIntermediateValueModel.stored_repr_to_intermediate_value
        for row in rows_of(TrialIntermediateValueModel):
            steps[row.trial_id][row.step] = as_value(row.intermediate_value, row.intermediate_value_type)
        user, system = attributes
        return [
            FrozenTrial(
                number=row.number,
                state=row.state,
                value=None,
                values=values.get(row.trial_id),
                datetime_start=row.datetime_start,
                datetime_complete=row.datetime_complete,
                params=params.get(row.trial_id, {}),
                distributions=distributions.get(row.trial_id, {}),
                user_attrs=user.get(row.trial_id, {}),
                system_attrs=system.get(row.trial_id, {}),
                intermediate_values=steps.get(row.trial_id, {}),
                trial_id=row.trial_id,
            )
            for row in connection.execute(trials.select().where(of_study).order_by(trials.c.trial_id))
        ]
