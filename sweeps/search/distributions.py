"""Searched ranges as Optuna's distributions, and the values of a trial drawn from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from studies.spec.conditions import FAMILY
from studies.spec.ranges import FloatRange, IntRange, decode, encode
from studies.spec.space import SearchedField, SearchSpace

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.trial import Trial


def distribution(field: SearchedField) -> BaseDistribution:
    """Return the distribution that Optuna stores for a range."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(field, FloatRange):
        return FloatDistribution(*field.bounds, log=field.log, step=field.step)
    if isinstance(field, IntRange):
        return IntDistribution(*field.bounds, log=field.log, step=field.step or 1)
    return CategoricalDistribution([encode(value) for value in field.choice])


def suggest(space: SearchSpace, trial: Trial) -> dict[str, Any]:
    """Draw the parameters of a trial: a value for every field whose condition is met, and for no other.

    The family of an enqueued trial that the search leaves out is an attribute of the trial, see `warm_start`.
    """
    given = {FAMILY: family} if (family := trial.user_attrs.get(FAMILY)) is not None else {}
    return space.fill(lambda name, field: given[name] if name in given else _suggest(trial, name, field))


def _suggest(trial: Trial, name: str, field: SearchedField) -> Any:
    """Draw the value of one field; one drawn before keeps its value, so that an interrupted ask can be finished."""
    if isinstance(field, FloatRange):
        return decode(field, trial.suggest_float(name, *field.bounds, log=field.log, step=field.step))
    if isinstance(field, IntRange):
        return trial.suggest_int(name, *field.bounds, log=field.log, step=field.step or 1)
    return decode(field, trial.suggest_categorical(name, [encode(value) for value in field.choice]))
